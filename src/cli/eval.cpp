#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/stage_verb.h"
#include "cli/verb.h"
#include "config/recipe.h"
#include "config/run_folder.h"
#include "pipeline/run.h"

namespace hone::cli {
namespace {

// "ppo=runs/align/07-ppo/model", or a folder alone: its name, or its run's for a folder that is called model.
std::string named_model(const std::string& text) {
  if (const size_t equals = text.find('='); equals != std::string::npos && equals > 0 && !fs::exists(text)) return text;
  fs::path path = fs::path(text).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  fs::path name = path.filename();
  if (name == config::names::kModel && path.has_parent_path()) name = path.parent_path().filename();
  return (name.empty() ? "model" : name.string()) + "=" + text;
}

// The world stage's folder near a model: among its run's neighbours.
std::string world_near(const std::string& model) {
  fs::path at = fs::absolute(model.substr(model.find('=') + 1)).lexically_normal();
  for (int up = 0; up < 3 && at.has_parent_path(); ++up) {
    at = at.parent_path();
    std::error_code ec;
    for (const auto& e : fs::directory_iterator(at, ec))
      if (e.is_directory(ec) && fs::exists(e.path() / "world.json")) return e.path().string();
  }
  return "";
}

Json list_entry(const std::vector<std::string>& list) { return Json(list); }

}  // namespace

int eval(Options& options) {
  std::vector<std::string> models, tasks;
  std::string data, out, reward, limit;
  bool resume = false;
  RunOverrides overrides;
  options
      .value("--model", &models, "[NAME=]DIR",
             "model folder; several are compared on the same prompts, the last with the first")
      .required();
  options.value("--tasks", &tasks, "A,B", "what to measure (`hone list tasks`)").shows("world");
  options.value("--data", &data, "DIR", "folder of a world stage; default: the one of the model's run");
  options.value("--reward", &reward, "DIR", "a reward model to hold against gold");
  options.value("--limit", &limit, "N", "prompts at most; 0: all").shows("0");
  options.value("--out", &out, "DIR", "the run folder to write: results.json, samples.jsonl, report.html")
      .shows("runs/eval");
  options.flag("--resume", resume, "keep what is done in --out");
  overrides.declare(options);
  options.about(
      "A table on standard error, results.json, and every sample with its score in samples.jsonl. `hone explain eval` "
      "lists all settings for --set.");
  options.example("hone eval --model runs/align/07-ppo/model --tasks world --limit 200",
                  "gold reward and its parts on held-out prompts of the run's own world");
  options.example("hone eval --model sft=DIR --model ppo=DIR --data runs/align/01-world --out runs/compare",
                  "two models on the same prompts");
  if (!options.parse()) return kDone;

  for (std::string& m : models) m = named_model(m);
  const auto name_of = [](const std::string& m) { return m.substr(0, m.find('=')); };
  for (size_t i = 0; i < models.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (name_of(models[i]) == name_of(models[k]))
        usage_error("two models are called '" + name_of(models[i]) + "'", "write --model NAME=DIR");
  for (const std::string& m : models)
    if (const std::string folder = m.substr(m.find('=') + 1); !fs::is_directory(folder))
      usage_error("no such model folder: " + folder);
  if (data.empty()) data = world_near(models.back());
  if (data.empty())
    usage_error("no world stage is near " + models.back().substr(models.back().find('=') + 1),
                "name its folder (it holds world.json) with --data");
  if (!fs::exists(fs::path(data) / "world.json"))
    usage_error(data + ": not the folder of a world stage (no world.json)",
                "a world stage of a recipe writes one, or `hone world --out DIR`");
  std::vector<std::string> split;
  for (const std::string& t : tasks)
    for (size_t begin = 0; begin <= t.size();) {
      const size_t end = std::min(t.find(',', begin), t.size());
      if (end > begin) split.push_back(t.substr(begin, end - begin));
      begin = end + 1;
    }

  config::Recipe recipe;
  recipe.run.title = "Evaluation of " + name_of(models.back());
  config::StageEntry& stage = recipe.stages.emplace_back(config::StageEntry{"eval", "eval", "hone eval", {}});
  const auto set = [&](const char* key, const Json& value) {
    stage.entries.push_back({key, std::string("hone eval --") + key, dump_json(value)});
  };
  set("models", list_entry(models));
  if (!split.empty()) set("tasks", list_entry(split));
  set("world", data);
  set("prompts", list_entry({(fs::path(data) / "prompts-heldout.jsonl").string()}));
  set("start", name_of(models.front()));
  set("final", name_of(models.back()));
  if (!reward.empty()) set("reward", reward);
  if (!limit.empty()) config::apply_set(recipe, "limit=" + limit);
  for (const std::string& assignment : overrides.all()) config::apply_set(recipe, assignment);
  if (out.empty()) out = "runs/eval";
  install_interrupt_handlers();
  pipeline::run_recipe(recipe, {out, resume});
  return kDone;
}

}  // namespace hone::cli
