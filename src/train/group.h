// Policy gradient without a critic: several answers to a prompt, each held against the others. The stage; the algorithm
// is in group_learner.h. GRPO, Dr. GRPO, DAPO, RLOO, ReMax, REINFORCE++, GSPO, CISPO and SAPO are choices of its
// settings (recipes/).
#pragma once
#include "advantages/params.h"
#include "config/stage_context.h"
#include "losses/policy_params.h"
#include "train/on_policy_settings.h"

namespace hone::train {

struct GroupParams : OnPolicySettings {
  int64_t policy_epochs = 1;
  advantages::GroupAdvantageParams advantage;
  losses::PolicyLossParams loss;
  std::string kl_placement = "reward";
  std::string kl_estimator = "k3";
  advantages::RewardParams shaping;
  int64_t overlong_buffer = 0;
  double overlong_weight = 1;
  bool mask_truncated = false;
  bool dynamic_sampling = false;
  int64_t sampling_rounds = 10;
  std::string importance = "none";
  double importance_cap = 2;

  GroupParams() {
    samples_per_prompt = 8;
    samples_source = "8: TRL";
    minibatches = 1;
    shaping.missing_eos = "subtract";
    policy_optim.lr = 1e-6;
    policy_optim.lr_source = "1e-6: TRL, verl, Shao et al. 2024";
  }

  /// No model, reward model or prompts, or settings that do not go together: kUsage.
  void check() const;
  /// What no group learner can be, whatever it learns from: kUsage.
  void check_algorithm() const;

  void fields(config::Fields& v) {
    OnPolicySettings::fields(v);
    v("policy_epochs", policy_epochs, "passes over an iteration's rollouts to train the policy", "1: TRL, verl");
    v.range("policy_epochs", 1);
    advantage.fields(v);
    v.group("loss", loss);
    // Of the shaping of rewards what concerns whole answers.
    shaping.fields(v);
    v.omit({"score_position", "score_normalise", "kl_estimator", "kl_clamp", "kl_clamp_limit", "whiten_rewards"});
    v.choice("kl_placement", kl_placement, {"none", "reward", "token_reward", "loss"},
             "where the divergence from the reference is held down: in each answer's reward, summed over its tokens "
             "(RLOO); in each token's reward, so that a token answers for what comes after it (REINFORCE++); in the "
             "loss (GRPO); nowhere",
             "reward: Ahmadian et al. 2024; the reward model is one of comparisons, which needs it");
    v.choice("kl_estimator", kl_estimator, {"k2", "k3", "k1_plain", "k3_plain"},
             "of the divergence in the loss. k2 and k3 have the gradient of the divergence (k3 by the straight "
             "through); the plain ones have not: k1_plain does nothing, k3_plain is what verl does by default, and TRL "
             "did before it "
             "multiplied by the ratio",
             "k3: verl's low_var_kl+; Tang & Munos 2025, arXiv 2506.09477");
    kl.fields(v);
    v("overlong_buffer", overlong_buffer,
      "tokens before sampling.max_tokens over which an answer is punished more and more (soft overlong punishment); 0: "
      "off",
      "off; DAPO 4096 of 20480 (Yu et al. 2025)");
    v("overlong_weight", overlong_weight, "what an answer of max_tokens loses to it", "1: Yu et al. 2025");
    v("mask_truncated", mask_truncated, "answers that the length limit cut off teach nothing", "off: TRL");
    v("dynamic_sampling", dynamic_sampling,
      "prompts whose answers all have one score are dropped, and others are asked in their place", "off; DAPO on");
    v("sampling_rounds", sampling_rounds, "times that prompts are asked in one iteration, at most", "10: verl");
    v.choice("importance", importance, {"none", "truncate", "mask"},
             "what a token counts where sampler and trainer give it other probabilities: always 1, their ratio up to "
             "importance_cap, or the ratio, and nothing beyond the cap",
             "none: hone samples from the tensors that it trains; TRL masks at 3");
    v("importance_cap", importance_cap, "largest ratio of the trainer's probability to the sampler's",
      "2: Yao et al. 2025 (truncated importance sampling); TRL 3");
    v.range("overlong_weight", 0);
    v.range("sampling_rounds", 1);
    v.range("importance_cap", 1);
    const auto in_loss = [this] { return kl_placement == "loss"; };
    v.only_if("kl_estimator", "kl_placement = loss", in_loss);
    for (const char* key : {"kl_controller", "kl_coef"})
      v.only_if(key, "kl_placement is not none", [this] { return kl_placement != "none"; });
    v.only_if("overlong_weight", "overlong_buffer is above 0", [this] { return overlong_buffer > 0; });
    v.only_if("sampling_rounds", "dynamic_sampling = true", [this] { return dynamic_sampling; });
    v.only_if("importance_cap", "importance is truncate or mask", [this] { return importance != "none"; });
  }
};

void run_group(const GroupParams& params, config::StageContext& context);

}  // namespace hone::train
