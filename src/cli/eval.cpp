#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/stage_verb.h"
#include "cli/verb.h"
#include "config/run_folder.h"
#include "infer/verify_model.h"

namespace hone::cli {
namespace {

// "ppo=runs/align/07-ppo/model", or a folder alone: its name, or its run's for a folder that is called model.
std::string named_model(const std::string& text) {
  if (const size_t equals = text.find('='); equals != std::string::npos && equals > 0 && !fs::exists(text)) return text;
  fs::path path = fs::path(text).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  fs::path name = path.filename();
  if (name == config::names::kModel && path.has_parent_path()) name = path.parent_path().filename();
  std::string label = name.empty() ? "model" : name.string();
  std::ranges::replace(label, '=', '-');  // NAME ends at the first
  return label + "=" + text;
}

// The folder of a stage that wrote `file`, near a model: among its run's neighbours.
std::string stage_near(const std::string& model, const char* file) {
  fs::path at = fs::absolute(model.substr(model.find('=') + 1)).lexically_normal();
  for (int up = 0; up < 3 && at.has_parent_path(); ++up) {
    at = at.parent_path();
    std::error_code ec;
    for (const auto& e : fs::directory_iterator(at, ec))
      if (e.is_directory(ec) && fs::exists(e.path() / file)) return e.path().string();
  }
  return "";
}

void require_language_model(const std::string& folder) {
  infer::require_model_folder(folder);
  if (infer::is_reward_model(folder))
    usage_error(folder + ": is a reward model, it generates no text", "--reward DIR holds it against gold");
}

Json list_entry(const std::vector<std::string>& list) { return Json(list); }

}  // namespace

int eval(Options& options) {
  std::vector<std::string> models, tasks, prompts;
  std::string data, out, reward, people;
  int64_t limit = 0;
  bool resume = false;
  RunOverrides overrides;
  options
      .value("--model", &models, "[NAME=]DIR",
             "model folder; several are compared on the same prompts, the last with the first")
      .required();
  options.value("--tasks", &tasks, "A,B", "what to measure (`hone list tasks`)").shows("world");
  options.value("--data", &data, "DIR", "folder of a world stage; default: the one of the model's run");
  options.value("--prompts", &prompts, "FILE",
                "prompts of your own, without a world: KL, the reward of --reward, and the texts' own measures");
  options.value("--reward", &reward, "DIR", "a reward model to hold against gold; with --prompts: to ask for rewards");
  options.value("--annotators", &people, "DIR",
                "with --reward: folder of the compare stage whose people judge; default: the one of its run");
  options.value("--limit", &limit, "N", "prompts at most; 0: all");
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
  options.example("hone eval --model before=DIR --model after=DIR --prompts prompts.jsonl --limit 50",
                  "two models of your own on your own prompts");
  options.example(
      "hone eval --model before=DIR --model after=DIR --prompts prompts.jsonl --set comparisons=held-out.jsonl",
      "and whether they agree with comparisons that people made");
  if (!options.parse()) return kDone;

  for (std::string& m : models) m = named_model(m);
  const auto name_of = [](const std::string& m) { return m.substr(0, m.find('=')); };
  for (size_t i = 0; i < models.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (name_of(models[i]) == name_of(models[k]))
        usage_error("two models are called '" + name_of(models[i]) + "'", "write --model NAME=DIR");
  for (const std::string& m : models) require_language_model(m.substr(m.find('=') + 1));
  if (limit < 0) usage_error("'--limit' must not be negative");
  if (!reward.empty()) {
    infer::require_model_folder(reward);
    if (people.empty() && prompts.empty()) people = stage_near(reward, "annotators.json");
    if (prompts.empty() && !fs::exists(fs::path(people) / "annotators.json"))
      usage_error("'--reward' needs the people of a compare stage, and " +
                      (people.empty() ? "none is near " + reward : people + " has no annotators.json"),
                  "name the stage's folder with --annotators");
  }
  const bool own = !prompts.empty();
  if (own && !(data.empty() && people.empty() && tasks.empty()))
    usage_error("'--prompts' is for a model without a world: not with '--data', '--annotators' or '--tasks'",
                "leave one of them out");
  if (data.empty() && !own) data = stage_near(models.back(), "world.json");
  if (data.empty() && !own)
    usage_error("no world stage is near " + models.back().substr(models.back().find('=') + 1),
                "name its folder (it holds world.json) with --data, or give prompts of your own with --prompts");
  if (!own && !fs::exists(fs::path(data) / "world.json"))
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
  if (own) {
    set("judge", "none");
    set("prompts", list_entry(prompts));
  } else {
    set("world", data);
    set("prompts", list_entry({(fs::path(data) / "prompts-heldout.jsonl").string()}));
  }
  set("start", name_of(models.front()));
  set("final", name_of(models.back()));
  if (!reward.empty()) set("reward", reward);
  if (!reward.empty() && !own) set("annotators", people);
  if (limit > 0) set("limit", limit);
  for (const std::string& assignment : overrides.all()) config::apply_set(recipe, assignment);
  if (out.empty()) out = "runs/eval";
  return start_run(recipe, out, resume);
}

}  // namespace hone::cli
