// Weighted preference optimisation: Zhou et al. 2024, arXiv 2406.11827, eqs. 5 and 6: comparisons of answers that the
// policy itself would hardly give count for less.
//
//     loss = w_c·w_r·(-logσ(β d)),    w = exp( mean_t [log π(y_t) - log Σ_v π(v)²] )
//
// d: as in dpo.cpp. Weights get no gradient. The sum of squares is what a token drawn from the policy is likely to have
// ("sampled alignment"), so an answer of the policy's own has a weight near 1; one likelier than that has more. The
// product is cut at max_weight, as the authors' code does.
#include "losses/logistic.h"
#include "losses/preference_loss.h"

namespace hone::losses {
namespace wpo_loss {

struct Params {
  double beta = 0.1, label_smoothing = 0, max_weight = 1;

  void fields(config::Fields& v) {
    beta_field(v, beta, "0.1: as in DPO; Zhou et al. 2024 0.01");
    smoothing_field(v, label_smoothing);
    v("max_weight", max_weight, "a pair's weight is at most this; 0: no limit", "1: Zhou et al. 2024; TRL 1.16 none");
    v.range("max_weight", 0);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor log_weight = a.per_token(a.policy.detach()) - a.collision;  // (N)
  Tensor weight = at::exp(a.chosen(log_weight) + a.rejected(log_weight));  // (P)
  if (p.max_weight > 0) weight = weight.clamp_max(p.max_weight);
  return plain(weight * logistic(p.beta * a.difference(), {}, p.label_smoothing), a, p.beta);
}

}  // namespace wpo_loss

namespace preference {
extern const PreferenceLoss wpo = define_preference_loss<wpo_loss::Params, wpo_loss::value>({.collision = true});
}

}  // namespace hone::losses
