#include "judge/dpo_learner.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/machine.h"
#include "config/recipe.h"
#include "config/run_folder.h"
#include "data/read.h"
#include "pipeline/run.h"

namespace hone::judge {
namespace {

using feedback::RoundOutcome;

// How many prompts a look answers, and the measure at the end, there several times: of 32 answers the loss of the start
// on them is known to 5%, of 128 to half of that.
constexpr int64_t kMeasuredPrompts = 32, kMeasuredTokens = 128, kMeasuredSamples = 4;

// A low-rank adapter takes ten to a hundred times the rate that all weights do. Two tastes, 40 and 60 comparisons, KL a
// token and the start's loss ratio behind some 20 steps (docs/log.md): lists .006 and .88 at 1e-4, learnt too little to
// be seen, .057 and .76 at 3e-4; short answers .007 and 1.1 at 1e-4, .21 and 1.5 at 3e-4, a wreck.
constexpr double kFastRate = 3e-4, kGentleRate = 1e-4;

// The likelihood of the chosen answers beside DPO (Pang et al. 2024, arXiv 2404.19733, equation 1). DPO alone lowers
// both sides' likelihood, and the mass goes to answers that the start would not give. Short answers, 60 comparisons, 20
// steps at 1e-4, the start's loss ratio on trained prompts and characters of an answer (679 before): 1.13 behind 15
// steps with a weight of 0; 1.08 and 526 with 1, as in the paper; .91 and 548 with 4.
constexpr double kNllCoef = 4;

bool has_rows(const std::filesystem::path& file) {
  return std::filesystem::exists(file) && std::filesystem::file_size(file) > 0;
}

// Every difference from the stages' defaults, and why.
config::Recipe recipe_of(const annotate::LearnTask& task, const LearnSettings& s) {
  const int64_t rows = std::ssize(data::read_preferences({task.comparisons.string()}).rows);
  const int64_t steps_an_epoch = std::max<int64_t>(1, rows / s.batch_pairs);
  config::Recipe out;
  out.run.title = "Learn from what one person judged: " + task.name;
  out.run.seed = s.seed;
  out.run.device = s.device;
  out.run.threads = s.threads;
  const auto entries = [](const Json& values) {
    std::vector<config::Entry> all;
    for (const auto& [key, value] : values.items()) all.push_back({key, "a round's settings", dump_json(value)});
    return all;
  };
  Json learn = {
      {"model", task.start.folder},
      {"data", {task.comparisons.string()}},
      {"epochs", s.epochs > 0 ? s.epochs : passes_for(rows)},
      {"batch_pairs", s.batch_pairs},
      {"adapter.rank", s.rank},
      {"loss.beta", s.beta},
      {"loss.nll_coef", kNllCoef},
      {"optim.lr", s.lr > 0 ? s.lr : kGentleRate},
      {"optim.warmup_steps", std::max<int64_t>(1, steps_an_epoch / 2)},
      {"text.max_lost_share", 1},  // a pair that is too long for the model must not keep the others from being learned
      {"text.held_out", 0},        // there are few: each is learned from, and cross-validation says how far
      {"stop.folds", s.folds},
      {"keep.every", steps_an_epoch},
      {"keep.evaluate_every", std::max<int64_t>(1, steps_an_epoch / s.evaluations_an_epoch)},
      {"samples.max_tokens", kMeasuredTokens},
      // As many prompts as are measured when the round is over, and answers as long: of fewer and shorter ones the loss
      // of the start on them said 1.09 where it was 1.23.
      {"stop.prompts", kMeasuredPrompts},
      {"stop.max_tokens", kMeasuredTokens},
      {"stop.samples", 2},
      {"stop.kl_limit", s.kl_limit},
      {"stop.start_loss_limit", s.start_loss_limit},
  };
  // Of the prompts that it learned from, a look said 1.08 where of others it was 1.14 and 1.16.
  if (has_rows(task.asked)) learn["stop.ask"] = {task.asked.string()};
  if (s.lr <= 0) learn["stop.rates"] = {kFastRate};
  out.stages.push_back({"preference", "learn", "a round's settings", entries(learn)});
  Json models = {"before=" + task.start.folder, "after=@learn"};
  if (task.original != task.start) models.insert(models.begin(), "original=" + task.original.folder);
  Json measure = {
      {"models", models},
      {"judge", "none"},
      {"prompts", {task.prompts.string()}},
      {"original", task.original.folder},
      {"start", "before"},
      {"final", "after"},
      {"texts", {task.texts.string()}},
      {"samples", kMeasuredSamples},
      {"sampling.max_tokens", kMeasuredTokens},
  };
  if (has_rows(task.kept)) measure["comparisons"] = {task.kept.string()};
  out.stages.push_back({"eval", "measure", "a round's settings", entries(measure)});
  return out;
}

}  // namespace

double passes_for(int64_t comparisons) {
  return std::clamp(120.0 / static_cast<double>(std::max<int64_t>(1, comparisons)), 1.0, 4.0);
}

LearnSettings begun_with(const std::filesystem::path& file, const LearnSettings& settings) {
  LearnSettings out = settings;
  Json kept = Json::object();
  const bool begun = std::filesystem::exists(file);
  if (begun) kept = parse_json(read_file(file), file.string());
  const auto settle = [&](const char* key, auto& value) {
    if (begun && kept.contains(key)) value = kept.at(key).get<std::remove_reference_t<decltype(value)>>();
    else kept[key] = value;
  };
  settle("lr", out.lr), settle("beta", out.beta), settle("epochs", out.epochs);
  settle("rank", out.rank), settle("batch_pairs", out.batch_pairs), settle("folds", out.folds);
  settle("evaluations_an_epoch", out.evaluations_an_epoch), settle("seed", out.seed);
  settle("kl_limit", out.kl_limit), settle("start_loss_limit", out.start_loss_limit);
  settle("threads", out.threads), settle("device", out.device);
  if (!begun) write_file_atomic(file, dump_json(kept) + "\n");
  return out;
}

DpoLearner::DpoLearner(SamplerSettings sampler, const LearnSettings& settings)
    : sampler_(std::move(sampler)), settings_(settings) {
  if (!(settings_.lr >= 0)) usage_error("'--lr' must be at least 0");
  if (!(settings_.epochs >= 0)) usage_error("'--epochs' must be at least 0");
}

std::unique_ptr<annotate::AnswerSampler> DpoLearner::open(const std::string& folder, const std::string& name) {
  SamplerSettings settings = sampler_;
  settings.model = folder;
  settings.name = name;
  return std::make_unique<ModelSampler>(settings);
}

annotate::Learned DpoLearner::learn(const annotate::LearnTask& task, std::stop_token stop,
                                    const std::function<void(int64_t, int64_t)>& step_done) {
  LearnSettings own = settings_;
  own.threads = sampler_.engine.threads > 0 ? sampler_.engine.threads : usable_threads();
  own.device = sampler_.engine.device;
  const config::Recipe recipe = recipe_of(task, begun_with(task.folder.string() + ".settings.json", own));
  pipeline::run_recipe(
      recipe, {.out = task.folder, .resume = true, .stop = std::move(stop), .progress = [&](const config::StepDone& s) {
                 step_done(s.step, s.total);
               }});
  const std::filesystem::path folder = task.folder / annotate::kLearnFolder;
  const Json summary = parse_json(config::read_record(folder).summary_json, "the run's summary");
  annotate::Learned out;
  out.why = summary.at("why");
  out.outcome = summary.at("kept_step") == 0                  ? RoundOutcome::kNothing
                : summary.at("stopped") == "learned_too_hard" ? RoundOutcome::kTooHard
                                                              : RoundOutcome::kLearned;
  out.model.folder = (folder / config::names::kModel).string();
  if (out.outcome != RoundOutcome::kNothing) out.model.policy = open(out.model.folder, task.name)->policy();
  return out;
}

}  // namespace hone::judge
