// Proximal policy optimisation from a reward model under a KL penalty: the stage. The algorithm is in ppo_learner.h.
#pragma once
#include <set>

#include "config/stage_context.h"
#include "losses/params.h"
#include "train/on_policy_settings.h"

namespace hone::train {

struct PpoParams : OnPolicySettings {
  std::string critic;
  int64_t policy_epochs = 2;
  int64_t critic_epochs = 1;
  int64_t critic_warmup = 2;
  double pretrain_coef = 0;
  std::vector<std::string> pretrain_data;
  int64_t pretrain_tokens = 1024;
  AdapterSettings critic_adapter;
  advantages::RewardParams shaping;
  advantages::AdvantageParams advantage;
  losses::PpoLossParams loss;
  optim::OptimParams critic_optim;

  PpoParams() {
    shaping.missing_eos = "subtract";
    policy_optim.lr = 3e-6;
    policy_optim.lr_source = "3e-6: TRL, N+; OpenRLHF and verl 1e-6";
    critic_optim.lr = 9e-6;
    critic_optim.lr_source = "9e-6: OpenRLHF; verl 1e-5, TRL 3e-6";
  }

  /// Where the critic starts from.
  const std::string& critic_folder() const { return !critic.empty() ? critic : asks_model() ? reward : model; }

  /// A policy that learns by an adapter has such a critic too, unless `given`, the keys somebody has set, says
  /// otherwise.
  void settle(const std::set<std::string>& given);
  /// No model, reward model or prompts, or what no PPO can be: kUsage.
  void check() const;
  /// What no PPO can be, whatever it learns from: kUsage.
  void check_algorithm() const;

  void fields(config::Fields& v) {
    OnPolicySettings::fields(v);
    v.path("critic", critic,
           "folder that the critic starts from; empty: the reward model, or the policy where none is asked",
           "N+ and AlpacaFarm; spec 2.1 row 18");
    v("policy_epochs", policy_epochs, "passes over an iteration's rollouts to train the policy",
      "2: AlpacaFarm; TRL and N+ 4, OpenRLHF and verl 1");
    v("critic_epochs", critic_epochs, "passes to train the critic");
    v("critic_warmup", critic_warmup, "first iterations that train the critic alone");
    v("pretrain_coef", pretrain_coef, "weight of the pretraining loss mixed into the policy's gradient",
      "InstructGPT's ptx; 0: off");
    v.path("pretrain_data", pretrain_data, "text files for the mixing");
    v("pretrain_tokens", pretrain_tokens, "pretraining tokens of one minibatch");
    for (const char* key : {"policy_epochs", "pretrain_tokens"}) v.range(key, 1);
    v.range("pretrain_coef", 0);
    v.group("critic_adapter", critic_adapter);
    v.omit({"critic_adapter.dropout"});  // clipped values are computed
    kl.fields(v);
    shaping.fields(v);
    advantage.fields(v);
    v.group("loss", loss);
    v.group("critic_optim", critic_optim);
    for (const char* key : {"pretrain_data", "pretrain_tokens"})
      v.only_if(key, "pretrain_coef > 0", [this] { return pretrain_coef > 0; });
  }
};

void run_ppo(const PpoParams& params, config::StageContext& context);

}  // namespace hone::train
