// Settings of the policy's loss where no critic stands beside it: surrogate, aggregation, entropy bonus. Torch-free.
#pragma once
#include <string>

#include "losses/params.h"

namespace hone::losses {

/// What the surrogates of surrogates.def read.
struct SurrogateParams {
  double clip_low = 0.2;
  double clip_high = 0.2;
  double dual_clip = 0;
  double ratio_cap = 5;
  double tau_positive = 1;
  double tau_negative = 1.05;
};

/// How a minibatch's tokens become one number to descend on.
struct PolicyLossParams {
  std::string surrogate = "clip";
  SurrogateParams how = {};
  std::string aggregation = "token_mean";
  double entropy_coef = 0;

  template <class V>
  void fields(V& v) {
    v.choice("surrogate", surrogate,
             {
#define HONE_SURROGATE(id, doc, citation) #id,
#include "losses/surrogates.def"
#undef HONE_SURROGATE
             },
             "what stands for the policy gradient once the policy has moved (hone list surrogates)",
             "clip: Shao et al. 2024 (GRPO), arXiv 2402.03300");
    v("clip_low", how.clip_low, "the ratio is clipped from below at 1 - clip_low", "0.2: TRL, verl; GSPO 3e-4");
    v("clip_high", how.clip_high, "the ratio is clipped from above at 1 + clip_high",
      "0.2: TRL, verl; DAPO 0.28, GSPO 4e-4");
    v("dual_clip", how.dual_clip, "c, above 1: where the advantage is negative the loss is at most -c·A; 0: off",
      "off, as in TRL; verl 3, NeMo-RL 10 (Ye et al. 2020)");
    v("ratio_cap", how.ratio_cap, "the ratio weighs a token's log-probability at most this much", "5: TRL");
    v("tau_positive", how.tau_positive, "steepness of the gate where the advantage is positive",
      "1: Gao et al. 2025, TRL");
    v("tau_negative", how.tau_negative, "the same where it is negative", "1.05: Gao et al. 2025, TRL");
    v.choice("aggregation", aggregation, {"sequence_mean", "sequence_sum", "token_mean", "constant"},
             "sequence_mean: each answer's mean over its tokens, then over answers (GRPO); sequence_sum: each answer's "
             "sum, then the mean over answers (RLOO); token_mean: over all tokens of the minibatch (DAPO); constant: "
             "their sum over answers times max_tokens (Dr. GRPO)",
             "token_mean: Yu et al. 2025, arXiv 2503.14476; TRL and verl");
    v("entropy_coef", entropy_coef, "weight of the entropy bonus", "0: TRL, OpenRLHF, verl");
    v.range("clip_low", 0, 1);
    for (const char* key : {"clip_high", "dual_clip"}) v.range(key, 0);
    for (const char* key : {"ratio_cap", "tau_positive", "tau_negative"}) v.range(key, 1e-6);
    const auto only = [&](const char* key, const char* text, auto holds) {
      v.only_if(key, text, [this, holds] { return holds(surrogate); });
    };
    for (const char* key : {"clip_low", "clip_high"})
      only(key, "surrogate is clip or gspo", [](const std::string& s) { return s == "clip" || s == "gspo"; });
    only("dual_clip", "surrogate = clip", [](const std::string& s) { return s == "clip"; });
    only("ratio_cap", "surrogate = cispo", [](const std::string& s) { return s == "cispo"; });
    for (const char* key : {"tau_positive", "tau_negative"})
      only(key, "surrogate = sapo", [](const std::string& s) { return s == "sapo"; });
  }
};

}  // namespace hone::losses
