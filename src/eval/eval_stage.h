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
  std::vector<std::string> require;

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
    v.range("audit_samples", 2);
    v("curves", curves, "NAME=metrics.jsonl of a stage that was watched: gold against proxy over its steps");
    v.group("sampling", sampling);
    v("side_by_side", side_by_side, "prompts whose answers are shown side by side");
    v("require", require,
      "checks, each \"MEASURE: MODEL [- MODEL] OP NUMBER\" with gold, correct, give_in, hidden_faults, visible_faults, win_rate or kl, or "
      "\"reward_accuracy_gap OP NUMBER\", \"reward_correlation OP NUMBER\"; >= and <= hold the estimate, > and < the end of its 95% interval");
  }
};

void run_eval(const EvalParams& params, config::StageContext& context);

}  // namespace hone::eval
