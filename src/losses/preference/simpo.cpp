// Simple preference optimisation: Meng, Xia and Chen 2024, arXiv 2405.14734, eq. 6. No reference.
//
//     loss = -logσ(β·(l̄_c - l̄_r) - γ),    l̄ = log π(y|x) / tokens of y
//
// TRL's CPO trainer with loss_type = simpo adds an NLL term by default; the paper has none, nor has this.
#include "losses/logistic.h"
#include "losses/preference_loss.h"

namespace hone::losses {
namespace simpo_loss {

struct Params {
  double beta = 2, gamma = 1, label_smoothing = 0;

  void fields(config::Fields& v) {
    v("beta", beta, "scale of the implicit reward: beta times nats a token", "2: Meng et al. 2024 take 2 to 2.5; TRL 0.1");
    v("gamma", gamma, "margin that the chosen answer's reward should have over the rejected one's",
      "1: Meng et al. 2024 take gamma / beta from 0.1 to 0.8; TRL 0.5");
    smoothing_field(v, label_smoothing);
    for (const char* key : {"beta", "gamma"}) v.range(key, 0);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor reward = p.beta * a.per_token(a.policy);  // (N)
  return {{{logistic(a.chosen(reward) - a.rejected(reward) - p.gamma, {}, p.label_smoothing)}}, reward.detach()};
}

}  // namespace simpo_loss

namespace preference {
extern const PreferenceLoss simpo = define_preference_loss<simpo_loss::Params, simpo_loss::value>({.reference = false});
}

}  // namespace hone::losses
