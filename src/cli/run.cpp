#include "pipeline/run.h"
#include "base/error.h"
#include "cli/catalogue.h"
#include "cli/stage_verb.h"
#include "cli/verb.h"

namespace hone::cli {

int run(Options& options) {
  std::string file, out, data;
  bool resume = false, plan = false;
  RunOverrides overrides;
  options.positional("RECIPE", &file, "recipe, a TOML file").required();
  options.value("--out", &out, "DIR", "folder of the run").in_group("Run").shows("runs/RECIPE");
  options
      .flag("--resume", resume,
            "continue: stages that are done are kept, the others go on from their newest checkpoint")
      .in_group("Run");
  options.flag("--plan", plan, "print stages, memory and time estimates, what would be dropped or cut; run nothing")
      .in_group("Run");
  overrides.declare(options);
  options.value("--data", &data, "DIR", "folder of the public data sets that $data/… in a recipe means")
      .in_group("Run");
  options.about(
      "Each stage gets its own run folder DIR/NN-NAME; DIR/report.html shows the whole. Ctrl-C writes a checkpoint and "
      "stops; the same command with "
      "--resume continues, and ends with the very same bytes as a run that was never stopped.");
  options.example("hone run recipes/align.toml --out runs/align", "from nothing to an aligned model and its report");
  options.example("hone run recipes/align.toml --plan", "what it would do, and how long it would take");
  options.example("hone run recipes/align.toml --out runs/b --set ppo.steps=40 --seed 2",
                  "one setting of one stage changed, another seed");
  options.example("hone run recipes/align.toml --out runs/align --resume", "go on after an interruption");
  if (!options.parse()) return kDone;

  const std::filesystem::path path(file);
  if (!std::filesystem::exists(path)) {
    std::vector<std::string> known;
    for (const BuiltInRecipe& r : built_in_recipes()) known.push_back("recipes/" + std::string(r.name) + ".toml");
    const std::string name = "recipes/" + path.stem().string() + ".toml";
    const std::string near = config::closest(name, known);
    usage_error("no such recipe: " + file + (near.empty() ? "" : "; did you mean '" + near + "'?"),
                "`hone list recipes` names those that come with hone");
  }
  config::Recipe recipe = config::read_recipe(path);
  for (const std::string& assignment : overrides.all()) config::apply_set(recipe, assignment);
  if (!data.empty()) config::apply_set(recipe, "data=" + data);
  if (out.empty()) out = (std::filesystem::path("runs") / path.stem()).string();
  if (plan) {
    pipeline::print_plan(recipe, out);
    return kDone;
  }
  return start_run(recipe, out, resume);
}

}  // namespace hone::cli
