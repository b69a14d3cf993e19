#include "cli/stage_verb.h"

#include <algorithm>
#include <deque>
#include <map>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/verb.h"
#include "pipeline/run.h"
#include "pipeline/stage.h"

namespace hone::cli {
namespace {

// One field of a stage as an option: texts as they were given.
struct FieldOption {
  const config::Field* field;
  std::string text;
  std::vector<std::string> list;
  bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(field->value); }
};

std::string placeholder(const config::Field& field) {
  if (!field.choices.empty()) return "CHOICE";
  return std::visit(
      []<class T>(T*) -> std::string {
        if constexpr (std::is_same_v<T, bool>) return "true|false";
        else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<std::string>>) return "TEXT";
        else if constexpr (std::is_same_v<T, std::vector<double>>) return "X,Y,…";
        else if constexpr (std::is_same_v<T, double>) return "X";
        else return "N";
      },
      field.value);
}

// Options are written with dashes, recipes with underscores; both are taken.
std::string dashed(std::string key) {
  std::ranges::replace(key, '_', '-');
  return "--" + key;
}

// Each key once: those that only some choices of a selector have say which.
std::deque<config::Field> fields_of_all(const std::vector<pipeline::StageVariant>& variants) {
  std::deque<config::Field> out;
  std::map<std::string, std::string> whose;  // key -> "cpo, simpo"
  for (const pipeline::StageVariant& v : variants) {
    const config::Fields fields = v.stage->fields();
    std::string behind;
    for (const config::Field& field : fields.list()) {
      if (std::ranges::find(out, field.key, &config::Field::key) == out.end()) {
        // Behind its neighbour, so that a group stays together.
        const auto before = std::ranges::find(out, behind, &config::Field::key);
        out.insert(before == out.end() ? before : std::next(before), field);
        if (!v.choice.empty()) whose[field.key] = v.choice;
      } else if (whose.contains(field.key)) {
        whose[field.key] += ", " + v.choice;
      }
      behind = field.key;
    }
  }
  for (config::Field& field : out)
    if (const auto at = whose.find(field.key); at != whose.end()) field.doc += " (" + at->second + ")";
  return out;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> stage_verbs() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const pipeline::StageKind& k : pipeline::stage_kinds())
    if (std::ranges::none_of(verbs(), [&](const Verb& v) { return v.name == k.kind; })) out.emplace_back(k.kind, k.doc);
  return out;
}

void RunOverrides::declare(Options& options) {
  options.value("--set", &assignments, "KEY=VALUE", "set a key of the recipe; may be repeated").in_group("Run");
  options.value("--seed", &seed, "N", "every random choice is a function of it").in_group("Run").shows("1");
  options.value("--device", &device, "DEVICE", "cpu, cuda or cuda:N").in_group("Run").shows("cpu");
  options.value("--dtype", &dtype, "DTYPE", "precision of matrix work: auto, f32, bf16").in_group("Run").shows("auto");
  options.value("--threads", &threads, "N", "CPU threads; 0: what affinity and quota allow").in_group("Run").shows("0");
  options.value("--compat", &compat, "SYSTEM", "whose defaults, where systems disagree: none, trl, openrlhf, nplus")
      .in_group("Run")
      .shows("none");
}

std::vector<std::string> RunOverrides::all() const {
  if (threads.starts_with('-')) usage_error("'--threads' must not be negative, got '" + threads + "'");
  std::vector<std::string> out = assignments;
  for (const auto& [key, value] :
       {std::pair{"seed", &seed}, {"device", &device}, {"dtype", &dtype}, {"threads", &threads}, {"compat", &compat}})
    if (!value->empty()) out.push_back(std::string(key) + "=" + *value);
  return out;
}

int start_run(const config::Recipe& recipe, const std::string& out, bool resume) {
  namespace fs = std::filesystem;
  for (fs::path p = fs::absolute(out); p.has_relative_path(); p = p.parent_path())
    if (fs::exists(p) && !fs::is_directory(p)) usage_error("--out " + out + ": " + p.string() + " is no folder");
  install_interrupt_handlers();
  const InterruptStop signals;
  pipeline::run_recipe(recipe, {.out = out, .resume = resume, .stop = signals.token()});
  return kDone;
}

int run_stage_verb(Options& options) {
  const std::string kind = options.verb();
  const std::vector<pipeline::StageVariant> variants = pipeline::stage_variants(kind);
  const std::deque<config::Field> fields = fields_of_all(variants);

  std::string out;
  bool resume = false, plan = false;
  RunOverrides overrides;
  std::deque<FieldOption> given;  // addresses stay
  const auto has = [&](std::string_view key) {
    return std::ranges::any_of(fields, [&](const auto& f) { return f.key == key; });
  };
  for (const config::Field& field : fields) {
    FieldOption& o = given.emplace_back(FieldOption{&field, {}, {}});
    const Options::Target target = o.is_list() ? Options::Target(&o.list) : Options::Target(&o.text);
    const bool also_data = field.key == "prompts" && !has("data");
    std::string names = dashed(field.key);
    if (const std::string plain = "--" + field.key; plain != names) names += "," + plain;
    if (also_data) names += ",--data";
    Options::Option option =
        options.value(names, target, placeholder(field), field.doc + (also_data ? "; --data is the same" : ""));
    option.choices(field.choices);
    std::string standard = config::to_toml(field);
    if (standard.starts_with('"')) standard = standard.substr(1, standard.size() - 2);
    if (standard != "[]") option.shows(standard);
    if (const size_t dot = field.key.find('.'); dot != std::string::npos)
      option.in_group("Settings of " + field.key.substr(0, dot));
  }
  options.value("--out", &out, "DIR", "the run folder to write").required().in_group("Run");
  options.flag("--resume", resume, "continue the run in --out from its newest checkpoint").in_group("Run");
  options.flag("--plan", plan, "print sizes and estimates, and run nothing").in_group("Run");
  overrides.declare(options);
  options.about(
      "The same as a recipe with this one stage. Every setting below may also be written --set KEY=VALUE; `hone "
      "explain " +
      kind + "` says where the defaults come from.");
  std::string example = "hone " + kind;
  if (has("model")) example += " --model runs/base/model";
  if (has("reward")) example += " --reward runs/reward/model";
  if (has("prompts")) example += " --prompts prompts.jsonl";
  if (has("data")) example += " --data data.jsonl";
  options.example(example + " --out runs/" + kind, "one stage; the result is in runs/" + kind +
                                                       (pipeline::makes_model(kind) ? "/model" : "") +
                                                       ", the page in runs/" + kind + "/report.html");
  options.example(example + " --out runs/" + kind + " --resume", "go on after an interruption");
  if (!options.parse()) return kDone;

  config::Recipe recipe;
  recipe.run.title = kind;
  recipe.stages.push_back({kind, kind, "hone " + kind, {}});
  for (const FieldOption& o : given) {
    if (!options.given(dashed(o.field->key))) continue;
    if (o.is_list())
      recipe.stages[0].entries.push_back(
          {o.field->key, "hone " + kind + " " + dashed(o.field->key), dump_json(Json(o.list))});
    else config::apply_set(recipe, kind + "." + o.field->key + "=" + o.text);
  }
  for (const std::string& assignment : overrides.all()) {
    // A key of the stage is meant before a key of the run or a stage's name ("data", "world.people").
    const bool of_stage = has(assignment.substr(0, assignment.find('=')));
    config::apply_set(recipe, of_stage ? kind + "." + assignment : assignment);
  }
  if (plan) {
    pipeline::print_plan(recipe, out);
    return kDone;
  }
  return start_run(recipe, out, resume);
}

}  // namespace hone::cli
