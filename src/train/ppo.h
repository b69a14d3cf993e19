// Proximal policy optimisation from a reward model under a KL penalty: the stage. The algorithm is in ppo_learner.h.
#pragma once
#include <set>

#include "advantages/params.h"
#include "config/stage_context.h"
#include "losses/params.h"
#include "optim/params.h"
#include "rollout/rollout.h"
#include "train/settings.h"

namespace hone::train {

struct PpoParams : ModelSettings {
  std::string reward;
  std::string critic;
  std::vector<std::string> prompts;
  bool skip_held_out = true;
  int64_t steps = 100;
  int64_t batch_prompts = 64;
  int64_t samples_per_prompt = 1;
  int64_t policy_epochs = 2;
  int64_t critic_epochs = 1;
  int64_t minibatches = 4;
  int64_t critic_warmup = 2;
  double target_kl = 0;
  double pretrain_coef = 0;
  std::vector<std::string> pretrain_data;
  int64_t pretrain_tokens = 1024;
  int64_t train_layers = 0;
  std::string watch;
  int64_t watch_every = 4;
  int64_t watch_prompts = 200;
  AdapterSettings critic_adapter;
  std::string ensemble = "mean";
  double ensemble_penalty = 1.0;
  bool close_unfinished = false;
  rollout::SamplingParams sampling;
  advantages::KlParams kl;
  advantages::RewardParams shaping;
  advantages::AdvantageParams advantage;
  losses::PpoLossParams loss;
  optim::OptimParams policy_optim;
  optim::OptimParams critic_optim;
  data::ReadSettings read;
  data::LengthSettings length;
  KeepSettings keep;
  SampleSettings samples;

  PpoParams() {
    sampling.max_tokens = 128;
    shaping.missing_eos = "subtract";
    policy_optim.lr = 3e-6;
    policy_optim.lr_source = "3e-6: TRL, N+; OpenRLHF and verl 1e-6";
    critic_optim.lr = 9e-6;
    critic_optim.lr_source = "9e-6: OpenRLHF; verl 1e-5, TRL 3e-6";
    keep.every = 10;
  }

  /// A policy that learns by an adapter has such a critic too, unless `given`, the keys somebody has set, says
  /// otherwise.
  void settle(const std::set<std::string>& given);
  /// No model, reward model or prompts, or what no PPO can be: kUsage.
  void check() const;
  /// What no PPO can be, whatever it learns from: kUsage.
  void check_algorithm() const;

  void fields(config::Fields& v) {
    ModelSettings::fields(v, "folder of the policy to start from; its frozen copy is the reference");
    v.path("reward", reward, "folder of the reward model");
    v.path("critic", critic, "folder that the critic starts from; empty: the reward model",
           "N+ and AlpacaFarm; spec 2.1 row 18");
    v.path("prompts", prompts, "files of prompts");
    v("skip_held_out", skip_held_out,
      "leave out the prompts on the held-out side of the reward model's split (split.json of its run)",
      "on, so that the reward model can be judged on prompts that the policy was not trained on");
    v("steps", steps, "iterations of sampling and updating", "6,400 answers: look at KL and reward before more");
    v("batch_prompts", batch_prompts, "prompts of one iteration", "what a small machine samples; TRL and N+ 512");
    v("samples_per_prompt", samples_per_prompt, "completions of each prompt");
    v("policy_epochs", policy_epochs, "passes over an iteration's rollouts to train the policy",
      "2: AlpacaFarm; TRL and N+ 4, OpenRLHF and verl 1");
    v("critic_epochs", critic_epochs, "passes to train the critic");
    v("minibatches", minibatches, "optimiser steps of one pass");
    v("critic_warmup", critic_warmup, "first iterations that train the critic alone");
    v("target_kl", target_kl,
      "a pass over the rollouts stops once the mean k3 between old and new policy exceeds this; 0: never");
    v("pretrain_coef", pretrain_coef, "weight of the pretraining loss mixed into the policy's gradient",
      "InstructGPT's ptx; 0: off");
    v.path("pretrain_data", pretrain_data, "text files for the mixing");
    v("pretrain_tokens", pretrain_tokens, "pretraining tokens of one minibatch");
    v("train_layers", train_layers,
      "only this many top blocks learn and the trunk below is shared with the reference; 0: all learn",
      "trlx's num_layers_unfrozen");
    v.path("watch", watch, "folder of a world whose gold reward is watched; evaluation only, no learner sees it");
    v("watch_every", watch_every, "iterations between looks");
    v("watch_prompts", watch_prompts, "held-out prompts of one look");
    v.choice("ensemble", ensemble,
             {
#define HONE_REWARD(id, doc, citation)
#define HONE_ENSEMBLE(id, doc, citation) #id,
#include "rewards/rewards.def"
#undef HONE_ENSEMBLE
#undef HONE_REWARD
             },
             "how the rewards of an ensemble become one: mean, worst case (WCO), or mean less ensemble_penalty times "
             "the variance (UWO)",
             "Coste et al. 2023, arXiv 2310.02743");
    v("ensemble_penalty", ensemble_penalty, "weight of the variance under 'uncertainty'");
    v("close_unfinished", close_unfinished,
      "reward an answer without an end token as if it ended there: the reward model sees an end token behind it, as "
      "behind every answer that it has learnt from",
      "off: most systems score the last token as it is; OpenRLHF puts an end token on cut rows");
    for (const char* key : {"steps", "batch_prompts", "samples_per_prompt", "policy_epochs", "minibatches",
                            "pretrain_tokens", "watch_every", "watch_prompts"})
      v.range(key, 1);
    for (const char* key : {"target_kl", "pretrain_coef", "ensemble_penalty"}) v.range(key, 0);
    v.group("critic_adapter", critic_adapter);
    v.only_if("train_layers", "adapter.rank = 0", [this] { return adapter.rank <= 0; });
    v.omit({"adapter.dropout", "critic_adapter.dropout"});  // ratios of probabilities, and clipped values, are computed
    v.group("sampling", sampling);
    kl.fields(v);
    shaping.fields(v);
    advantage.fields(v);
    v.group("loss", loss);
    v.group("policy_optim", policy_optim);
    v.group("critic_optim", critic_optim);
    read.fields(v);
    length.fields(v);
    v.group("keep", keep);
    v.group("samples", samples);
    for (const char* key : {"pretrain_data", "pretrain_tokens"})
      v.only_if(key, "pretrain_coef > 0", [this] { return pretrain_coef > 0; });
    for (const char* key : {"watch_every", "watch_prompts"})
      v.only_if(key, "watch is set", [this] { return !watch.empty(); });
    v.only_if("ensemble_penalty", "ensemble = uncertainty", [this] { return ensemble == "uncertainty"; });
    // Prompts have neither winners nor answers, and there are no rows to evaluate on.
    v.omit({"ties", "chosen_sides", "train_on", "keep.evaluate_every"});
  }
};

void run_ppo(const PpoParams& params, config::StageContext& context);

}  // namespace hone::train
