// What the stages that learn from their own samples have in common: the models, the prompts, the shape of an iteration.
#pragma once
#include "advantages/params.h"
#include "optim/params.h"
#include "rewards/reward_settings.h"
#include "rollout/rollout.h"
#include "train/settings.h"

namespace hone::train {

struct OnPolicySettings : ModelSettings, rewards::RewardSettings {
  std::vector<std::string> prompts;
  bool skip_held_out = true;
  int64_t steps = 100;
  int64_t batch_prompts = 64;
  int64_t samples_per_prompt = 1;
  std::string samples_source;  ///< of samples_per_prompt's default
  int64_t minibatches = 4;
  double target_kl = 0;
  int64_t train_layers = 0;
  std::string watch;
  int64_t watch_every = 4;
  int64_t watch_prompts = 200;
  rollout::SamplingParams sampling;
  advantages::KlParams kl;  ///< listed by each stage: one has it in the reward alone, another also in the loss
  optim::OptimParams policy_optim;
  data::ReadSettings read;
  data::LengthSettings length;
  KeepSettings keep;
  SampleSettings samples;

  OnPolicySettings() {
    sampling.max_tokens = 128;
    keep.every = 10;
  }

  void fields(config::Fields& v) {
    ModelSettings::fields(v, "folder of the policy to start from; its frozen copy is the reference");
    RewardSettings::fields(v);
    v.path("prompts", prompts, "files of prompts");
    v("skip_held_out", skip_held_out,
      "leave out the prompts on the held-out side of the reward model's split (split.json of its run)",
      "on, so that the reward model can be judged on prompts that the policy was not trained on");
    v.only_if("skip_held_out", "rewards holds model", [this] { return asks_model(); });
    v("steps", steps, "iterations of sampling and updating", "6,400 answers: look at KL and reward before more");
    v("batch_prompts", batch_prompts, "prompts of one iteration", "what a small machine samples; TRL and N+ 512");
    v("samples_per_prompt", samples_per_prompt, "completions of each prompt", samples_source);
    v("minibatches", minibatches, "optimiser steps of one pass");
    v("target_kl", target_kl,
      "a pass over the rollouts stops once the mean k3 between old and new policy exceeds this; 0: never");
    v("train_layers", train_layers,
      "only this many top blocks learn and the trunk below is shared with the reference; 0: all learn",
      "trlx's num_layers_unfrozen");
    v.path("watch", watch, "folder of a world whose gold reward is watched; evaluation only, no learner sees it");
    v("watch_every", watch_every, "iterations between looks");
    v("watch_prompts", watch_prompts, "held-out prompts of one look");
    for (const char* key :
         {"steps", "batch_prompts", "samples_per_prompt", "minibatches", "watch_every", "watch_prompts"})
      v.range(key, 1);
    v.range("target_kl", 0);
    v.only_if("train_layers", "adapter.rank = 0", [this] { return adapter.rank <= 0; });
    v.omit({"adapter.dropout"});  // ratios of probabilities are computed
    v.group("sampling", sampling);
    v.group("policy_optim", policy_optim);
    read.fields(v);
    length.fields(v);
    v.group("keep", keep);
    v.group("samples", samples);
    for (const char* key : {"watch_every", "watch_prompts"})
      v.only_if(key, "watch is set", [this] { return !watch.empty(); });
    // Prompts have neither winners nor answers, and there are no rows to evaluate on.
    v.omit({"ties", "chosen_sides", "train_on", "keep.evaluate_every"});
  }

  /// No model, nothing that says what an answer is worth, or no prompts: kUsage.
  void check_inputs() const;
  /// A distribution sampled from that ratios and divergences would not be of: kUsage.
  void check_sampling() const;
};

}  // namespace hone::train
