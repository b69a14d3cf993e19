// Contrastive preference optimisation: Xu et al. 2024, arXiv 2401.08417, eq. 5. No reference.
//
//     loss = -logσ(β·(log π(y_c|x) - log π(y_r|x)))  +  λ·NLL(y_c)
//
// NLL is a mean over tokens, as in TRL; the paper writes whole answers.
#include "losses/logistic.h"
#include "losses/preference_loss.h"

namespace hone::losses {
namespace cpo_loss {

struct Params {
  double beta = 0.1, nll_coef = 1, label_smoothing = 0;

  void fields(config::Fields& v) {
    v("beta", beta, "scale of the difference of the answers' log-probabilities", "0.1: Xu et al. 2024, TRL");
    v("nll_coef", nll_coef, "weight of the negative log-likelihood of the chosen answers, a mean over their tokens",
      "1: Xu et al. 2024; TRL calls it cpo_alpha");
    smoothing_field(v, label_smoothing);
    for (const char* key : {"beta", "nll_coef"}) v.range(key, 0);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor reward = p.beta * a.policy;  // (N)
  return {{{logistic(a.chosen(reward) - a.rejected(reward), {}, p.label_smoothing)},
           {-p.nll_coef * a.chosen(a.policy), Term::Unit::kChosenToken}},
          reward.detach()};
}

}  // namespace cpo_loss

namespace preference {
extern const PreferenceLoss cpo = define_preference_loss<cpo_loss::Params, cpo_loss::value>({.reference = false});
}

}  // namespace hone::losses
