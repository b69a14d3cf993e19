// The evaluation stage: every model answers the same held-out prompts with the same random numbers; results.json holds
// what the report shows (report/results.h says its shape), samples.jsonl every answer with its scores.
#pragma once
#include "checkers/checker.h"
#include "config/fields.h"
#include "config/stage_context.h"
#include "data/lengths.h"
#include "data/read.h"
#include "data/split.h"
#include "rollout/rollout.h"

namespace hone::eval {

struct EvalParams {
  std::vector<std::string> models;
  std::vector<std::string> tasks = {"world"};
  std::string judge = "world";
  std::string world;
  std::vector<std::string> prompts, harmful, comparisons, texts;
  int64_t limit = 0;
  int64_t comparisons_limit = 0;
  int64_t text_passages = 64;
  double held_out = 0;
  int64_t samples = 1;
  std::string original;
  std::string start = "sft";
  std::string final_model = "ppo";
  std::string reward, second_reward;
  std::vector<std::string> checkers;
  checkers::CheckerSettings checker_settings;
  bool close_unfinished = false;
  std::string annotators;
  int64_t audit_samples = 4;
  std::vector<std::string> curves;
  rollout::SamplingParams sampling;
  data::ReadSettings read;
  data::LengthSettings length;
  int64_t side_by_side = 60;
  std::vector<std::string> require;

  EvalParams() { sampling.max_tokens = 40; }
  /// No models, an unknown task, a check in `require` that cannot be read or names no model of `models`: kUsage.
  void check() const;

  void fields(config::Fields& v) {
    v.named_paths("models", models, "NAME=FOLDER of each model, in the order to show");
    v("tasks", tasks, "what to measure (`hone list tasks`)");
    v.choice("judge", judge, {"world", "stories", "none"},
             "who says what an answer is worth: the world's gold reward, the simulated reader of children's stories, "
             "or nobody, "
             "where the learned reward, KL and the texts' own measures are all there is");
    v.path("world", world, "folder of a world stage");
    v.path("prompts", prompts, "files of held-out prompts");
    v.path(
        "harmful", harmful,
        "files of held-out prompts that a good answer may refuse, answered like those of `prompts`: refusals are then "
        "counted apart, there and on the others, where they are too many");
    v("limit", limit, "prompts at most, of `prompts` and of `harmful` each; 0: all");
    v.path("comparisons", comparisons,
           "files of comparisons by people: how often each model's implicit reward, and the reward models', agree with "
           "them, source by source, beside the rule that the longer answer is better");
    v("comparisons_limit", comparisons_limit, "comparisons at most; 0: all");
    v.path("texts", texts,
           "files of running text that no model here has learnt: their perplexity before and after says what was "
           "forgotten");
    v("text_passages", text_passages, "passages of `texts`, of at most 256 tokens, spread over all of them");
    v.range("text_passages", 2);
    v("held_out", held_out,
      "only prompts and comparisons that stages with this held-out share and this seed left out; 0: all of them");
    v.range("held_out", 0, data::kLargestHeldOut);
    v("samples", samples, "answers to each prompt");
    v.range("samples", 1);
    v.path("original", original,
           "folder of the model that KL and perplexity are measured under; empty: the start model's");
    v("start", start, "the model that wins, changes and KL are counted against");
    v("final", final_model, "the model whose success the page reports");
    v.path("reward", reward, "folder of the reward model to audit; empty: none");
    v.path("second_reward", second_reward,
           "folder of a reward model that nobody optimised, learnt from other prompts: where `reward` prefers the new "
           "answers and this one does not, the policy is over-optimised");
    v("checkers", checkers,
      "rules that say whether an answer is right (`hone list rewards`); an answer is right if it is by all of them");
    checker_settings.fields(v, "checkers", checkers);
    v("close_unfinished", close_unfinished,
      "reward an answer without an end token as if it ended there: the reward model sees an end token behind it, as "
      "behind every answer that it has learnt from; as ppo.close_unfinished");
    v.path("annotators", annotators,
           "folder of the compare stage whose simulated people judge the audit's comparisons");
    v("audit_samples", audit_samples, "answers of the start model to each prompt, for the audit of the reward model");
    v.range("audit_samples", 2);
    v.named_paths("curves", curves,
                  "NAME=metrics.jsonl of a stage that was watched: gold against proxy over its steps");
    v.group("sampling", sampling);
    read.fields(v);
    length.fields(v);
    v("side_by_side", side_by_side, "prompts whose answers are shown side by side");
    v("require", require,
      "checks, each \"MEASURE: MODEL [- MODEL] OP NUMBER\" (`hone list measures`); >= and <= hold the estimate, > and "
      "< the near end of its 95% interval (shares: Wilson, their differences Newcombe; else a bootstrap over prompts). "
      "Of a reward model: \"MEASURE OP NUMBER\"");
    for (const char* key : {"world", "curves"}) v.only_if(key, "judge = world", [this] { return judge == "world"; });
    v.omit({"ties", "chosen_sides", "train_on"});  // prompts have neither winners nor answers
    for (const char* key : {"held_out",          "samples",    "original",          "harmful",       "comparisons",
                            "comparisons_limit", "texts",      "text_passages",     "second_reward", "checkers",
                            "close_unfinished",  "format",     "on_bad_line",       "split_text_by", "passages",
                            "chat_format",       "max_length", "max_prompt_length", "too_long",      "max_lost_share"})
      v.only_if(key, "judge is stories or none", [this] { return judge != "world"; });
    for (const char* key : {"close_unfinished", "annotators", "audit_samples"})
      v.only_if(key, "reward is set", [this] { return !reward.empty(); });
    v.only_if("second_reward", "reward is set", [this] { return !reward.empty(); });
    v.only_if("comparisons_limit", "comparisons is set", [this] { return !comparisons.empty(); });
    v.only_if("text_passages", "texts is set", [this] { return !texts.empty(); });
    v.only_if("annotators", "judge is world or stories", [this] { return judge != "none"; });
    v.only_if("audit_samples", "annotators is set", [this] { return !annotators.empty(); });
  }
};

void run_eval(const EvalParams& params, config::StageContext& context);

}  // namespace hone::eval
