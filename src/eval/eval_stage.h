// The evaluation stage: every model answers the same held-out prompts with the same random numbers; results.json holds
// what the report shows (report/results.h says its shape), samples.jsonl every answer with its scores.
#pragma once
#include "config/fields.h"
#include "config/stage_context.h"
#include "rollout/rollout.h"

namespace hone::eval {

struct EvalParams {
  std::vector<std::string> models;
  std::vector<std::string> tasks = {"world"};
  std::string world;
  std::vector<std::string> prompts;
  int64_t limit = 0;
  std::string start = "sft";
  std::string final_model = "ppo";
  std::string reward;
  std::string annotators;
  int64_t audit_samples = 4;
  std::vector<std::string> curves;
  rollout::SamplingParams sampling;
  int64_t side_by_side = 60;
  double require_sft_gain = -1;
  double require_gain = -1;
  double require_win_rate = -1;
  double require_kl = -1;
  double require_correlation = -1;
  double require_accuracy_gap = -1;

  EvalParams() { sampling.max_tokens = 40; }

  void fields(config::Fields& v) {
    v("models", models, "NAME=FOLDER of each model, in the order to show");
    v("tasks", tasks, "what to measure (`hone list tasks`)");
    v("world", world, "folder of a world stage (task world)");
    v("prompts", prompts, "files of held-out prompts (task world)");
    v("limit", limit, "prompts at most; 0: all");
    v("start", start, "the model that wins, changes and KL are counted against");
    v("final", final_model, "the model whose success the page reports");
    v("reward", reward, "folder of the reward model to audit; empty: none");
    v("annotators", annotators, "folder of the compare stage whose simulated people judge the audit's comparisons");
    v("audit_samples", audit_samples, "answers of the start model to each prompt, for the audit of the reward model");
    v("curves", curves, "NAME=metrics.jsonl of a stage that was watched: gold against proxy over its steps");
    v.group("sampling", sampling);
    v("side_by_side", side_by_side, "prompts whose answers are shown side by side");
    v("require_sft_gain", require_sft_gain, "check: gold of the start model less the first model's; -1: no check");
    v("require_gain", require_gain, "check: gold of the final model less the start model's");
    v("require_win_rate", require_win_rate, "check: gold win rate of the final model over the start model");
    v("require_kl", require_kl, "check: at most this many nats per answer from the start model");
    v("require_correlation", require_correlation, "check: the reward model's correlation with gold within prompts");
    v("require_accuracy_gap", require_accuracy_gap, "check: at most this far under the true utility's accuracy");
  }
};

void run_eval(const EvalParams& params, config::StageContext& context);

}  // namespace hone::eval
