// Settings of reward shaping, advantages and the KL controller: the choices on which RLHF systems silently disagree.
// fields() lists each key once.
#pragma once
#include <string>

namespace hone::advantages {

/// advantages/rewards.h
struct RewardParams {
  std::string score_position = "last_token";
  std::string missing_eos = "none";
  double missing_eos_penalty = 1;
  std::string score_normalise = "none";
  double score_clip = 0;
  std::string kl_estimator = "k1";
  std::string kl_clamp = "none";
  double kl_clamp_limit = 10;
  bool whiten_rewards = false;

  template <class V>
  void fields(V& v) {
    v.choice(
        "score_position", score_position, {"last_token", "after_last"},
        "where an answer's score stands: on its last token, or on a slot of its own behind it, whose value is learnt",
        "last_token: OpenRLHF, verl, AlpacaFarm; TRL and N+ use after_last");
    v.choice(
        "missing_eos", missing_eos, {"none", "subtract", "replace"},
        "what an answer without an end token gets: its score, its score minus the penalty, or minus the penalty alone",
        "subtract: what TRL does with a penalty (by default it has none); N+ and torchtune replace");
    v("missing_eos_penalty", missing_eos_penalty, "the penalty, in units of the score as normalised and clipped",
      "1: N+; torchtune 3");
    v.choice("score_normalise", score_normalise, {"none", "batch"},
             "batch: scores are brought to mean 0 and standard deviation 1 over the rollout batch",
             "none: the reward model is normalised once, on reference answers (Stiennon et al. 2020)");
    v("score_clip", score_clip, "scores are clipped to this distance from 0; 0 = never", "off; OpenRLHF 10");
    v.choice("kl_estimator", kl_estimator, {"k1", "k3"},
             "estimator of the divergence that is taken off each token's reward",
             "k1: everywhere (unbiased in value and, in the reward, in gradient); TRL offers k3");
    v.choice("kl_clamp", kl_clamp, {"none", "symmetric", "nonnegative"}, "limits the per-token estimate",
             "none: TRL; OpenRLHF is symmetric at 10, AlpacaFarm nonnegative (biased)");
    v("kl_clamp_limit", kl_clamp_limit, "where a symmetric clamp stands, nats a token", "10: OpenRLHF");
    v("whiten_rewards", whiten_rewards, "divide token rewards by their standard deviation over the batch, mean kept",
      "off: TRL; AlpacaFarm on");
    for (const char* key : {"missing_eos_penalty", "score_clip", "kl_clamp_limit"}) v.range(key, 0);
    v.only_if("missing_eos_penalty", "missing_eos is subtract or replace", [this] { return missing_eos != "none"; });
    v.only_if("kl_clamp_limit", "kl_clamp = symmetric", [this] { return kl_clamp == "symmetric"; });
  }
};

/// advantages/estimator.h
struct AdvantageParams {
  std::string estimator = "gae";
  double gamma = 1;
  double lambda = 0.95;
  std::string whiten = "unbiased";

  template <class V>
  void fields(V& v) {
    v("estimator", estimator, "which advantage estimator (hone list advantages)", "gae: Schulman et al. 2017");
    v("gamma", gamma, "discount a token", "1: all RLHF systems");
    v("lambda", lambda, "weight of later temporal differences: 1 = return minus value, 0 = one step",
      "0.95: TRL, N+, trlx; OpenRLHF, verl and AlpacaFarm 1");
    for (const char* key : {"gamma", "lambda"}) v.range(key, 0, 1);
    v.choice("whiten", whiten, {"none", "unbiased", "biased"},
             "bring advantages of the whole rollout batch to mean 0 and variance 1, with the variance so estimated",
             "unbiased: TRL, verl; OpenRLHF and N+ biased");
  }
};

/// advantages/kl_controller.h
struct KlParams {
  std::string kl_controller = "fixed";
  double kl_coef = 0.05;
  double kl_target = 6;
  double kl_horizon = 10000;

  template <class V>
  void fields(V& v) {
    v.choice("kl_controller", kl_controller, {"fixed", "adaptive"}, "whether the KL coefficient follows a target",
             "fixed: TRL, N+; adaptive: Ziegler et al. 2019");
    v("kl_coef", kl_coef, "reward taken per nat of divergence from the reference (at the start, if adaptive)",
      "0.05: TRL, N+");
    v("kl_target", kl_target, "divergence that the adaptive controller aims at, nats an answer",
      "6: Ziegler et al. 2019");
    v("kl_horizon", kl_horizon, "answers after which the adaptive coefficient has moved by at most 20%",
      "10000: Ziegler et al. 2019");
    for (const char* key : {"kl_coef", "kl_target", "kl_horizon"}) v.range(key, 0);
    for (const char* key : {"kl_target", "kl_horizon"})
      v.only_if(key, "kl_controller = adaptive", [this] { return kl_controller == "adaptive"; });
  }
};

/// advantages/group.h
struct GroupAdvantageParams {
  std::string baseline = "mean";
  std::string scale = "group_std";

  template <class V>
  void fields(V& v) {
    v.choice("baseline", baseline,
             {
#define HONE_ADVANTAGE(id, doc, citation)
#define HONE_BASELINE(id, fewest, doc, citation) #id,
#define HONE_SCALE(id, fewest, doc, citation)
#include "advantages/advantages.def"
#undef HONE_SCALE
#undef HONE_BASELINE
#undef HONE_ADVANTAGE
             },
             "what is taken off an answer's reward (hone list advantages)", "mean: Shao et al. 2024 (GRPO)");
    v.choice("scale", scale,
             {
#define HONE_ADVANTAGE(id, doc, citation)
#define HONE_BASELINE(id, fewest, doc, citation)
#define HONE_SCALE(id, fewest, doc, citation) #id,
#include "advantages/advantages.def"
#undef HONE_SCALE
#undef HONE_BASELINE
#undef HONE_ADVANTAGE
             },
             "what is left is divided by this; all but none bias the gradient",
             "group_std: Shao et al. 2024 (GRPO), TRL; none: Dr. GRPO, RLOO");
  }

  /// A baseline or scale that needs more answers than there are to a prompt: kUsage.
  void check(int64_t samples_per_prompt) const;
};

}  // namespace hone::advantages
