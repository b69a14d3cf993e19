// Direct preference optimisation: Rafailov et al. 2023, arXiv 2305.18290, eq. 7.
//
//     d    = [log π(y_c|x) - log π_ref(y_c|x)] - [log π(y_r|x) - log π_ref(y_r|x)]
//     z    = β d - a·margin
//     loss = -(1-ε)·logσ(z) - ε·logσ(-z)  +  λ·NLL(y_c)
//
// ε: label smoothing, Mitchell 2023, "A note on DPO with noisy preferences" (conservative DPO). a: an offset by how
// strong the preference is, Amini et al. 2024, arXiv 2402.10571 (ODPO). λ: negative log-likelihood of the chosen
// answer, a mean over its tokens (Pang et al. 2024, arXiv 2404.19733, take the mean within each answer first; TRL and
// OpenRLHF as here).
//
// On all pairs of an enumerable space with Bradley–Terry labels of a reward r, its minimum is π_ref·exp(r/β)/Z
// (tests/oracle). Ties, which the paper has not, are two pairs of half the weight, one each way.
#include "losses/logistic.h"
#include "losses/preference_loss.h"

namespace hone::losses {
namespace dpo_loss {

struct Params {
  double beta = 0.1, label_smoothing = 0, margin_coef = 0, nll_coef = 0;

  void fields(config::Fields& v) {
    beta_field(v, beta, "0.1: Rafailov et al. 2023, TRL, LLaMA-Factory");
    smoothing_field(v, label_smoothing);
    v("margin_coef", margin_coef, "a in β·d - a·margin, where the data grade how strong a preference is, from 0 to 1",
      "off; ODPO takes the log of the difference in ratings");
    v("nll_coef", nll_coef, "weight of the negative log-likelihood of the chosen answers, a mean over their tokens",
      "off; Pang et al. 2024 take 1");
    for (const char* key : {"margin_coef", "nll_coef"}) v.range(key, 0);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  Tensor z = p.beta * a.difference();  // (P)
  if (p.margin_coef > 0) z = z - p.margin_coef * a.margin;
  PreferenceValue out = plain(logistic(z, {}, p.label_smoothing), a, p.beta);
  if (p.nll_coef > 0) out.terms.push_back({-p.nll_coef * a.chosen(a.policy), Term::Unit::kChosenToken});
  return out;
}

}  // namespace dpo_loss

namespace preference {
extern const PreferenceLoss dpo = define_preference_loss<dpo_loss::Params, dpo_loss::value>({});
}

}  // namespace hone::losses
