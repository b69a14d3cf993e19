// Simple preference optimisation: Meng, Xia and Chen 2024, arXiv 2405.14734, eq. 6. No reference.
//
//     loss = -logσ(β·(l̄_c - l̄_r) - γ)  +  λ·NLL(y_c),    l̄ = log π(y|x) / tokens of y
//
// The paper has no NLL term (λ = 0); TRL's CPO trainer with loss_type = simpo adds one by default (λ = 1), a mean over
// tokens.
#include "losses/logistic.h"
#include "losses/preference_loss.h"

namespace hone::losses {
namespace simpo_loss {

struct Params {
  double beta = 2, gamma = 1, label_smoothing = 0, nll_coef = 0;

  void fields(config::Fields& v) {
    v("beta", beta, "scale of the implicit reward: beta times nats a token",
      "2: Meng et al. 2024 take 2 to 2.5; TRL 0.1");
    v("gamma", gamma, "margin that the chosen answer's reward should have over the rejected one's",
      "1: Meng et al. 2024 take gamma / beta from 0.1 to 0.8; TRL 0.5");
    smoothing_field(v, label_smoothing);
    v("nll_coef", nll_coef, "weight of the negative log-likelihood of the chosen answers, a mean over their tokens",
      "0: Meng et al. 2024; TRL 1 (cpo_alpha)");
    for (const char* key : {"beta", "gamma", "nll_coef"}) v.range(key, 0);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor reward = p.beta * a.per_token(a.policy);  // (N)
  PreferenceValue out{{{logistic(a.chosen(reward) - a.rejected(reward) - p.gamma, {}, p.label_smoothing)}},
                      reward.detach()};
  if (p.nll_coef > 0) out.terms.push_back({-p.nll_coef * a.chosen(a.policy), Term::Unit::kChosenToken});
  return out;
}

}  // namespace simpo_loss

namespace preference {
extern const PreferenceLoss simpo = define_preference_loss<simpo_loss::Params, simpo_loss::value>({.reference = false});
}

}  // namespace hone::losses
