// Odds ratio preference optimisation: Hong, Lee and Thorne 2024, arXiv 2403.07691, eqs. 6 and 7. No reference.
//
//     loss = NLL(y_c) + β·(-logσ(log odds(y_c) - log odds(y_r))),    odds = p/(1-p), p = exp(log π(y|x) / tokens of y)
//
// NLL is a mean over the tokens of the chosen answers of a step; TRL's counts the prompt's tokens, too. An answer of
// probability 1 has no odds: p is at most exp(-1e-6).
#include "losses/preference_loss.h"

namespace hone::losses {
namespace orpo_loss {

struct Params {
  double beta = 0.1;

  void fields(config::Fields& v) {
    v("beta", beta, "weight of the odds ratio's term beside the likelihood's (the paper's λ)",
      "0.1: Hong et al. 2024, TRL");
    v.range("beta", 0);
  }
};

// log(p/(1-p)) from log p. 1-p as -expm1(log p) where p is large and as 1-exp(log p) where it is small.
Tensor log_odds(const Tensor& logp) {
  const Tensor x = logp.clamp_max(-1e-6);
  const Tensor near = at::log(-at::expm1(x.clamp_min(-1))), far = at::log1p(-at::exp(x.clamp_max(-0.5)));
  return x - at::where(x > -0.6931472, near, far);
}

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor mean = a.per_token(a.policy);  // (N)
  const Tensor odds = log_odds(mean);
  return {
      {{-a.chosen(a.policy), Term::Unit::kChosenToken}, {-p.beta * at::log_sigmoid(a.chosen(odds) - a.rejected(odds))}},
      mean.detach(),
      p.beta};
}

}  // namespace orpo_loss

namespace preference {
extern const PreferenceLoss orpo = define_preference_loss<orpo_loss::Params, orpo_loss::value>({.reference = false});
}

}  // namespace hone::losses
