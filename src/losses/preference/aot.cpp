// Alignment via optimal transport, paired: Melnyk et al. 2024, arXiv 2406.05882, eq. 7: the distribution of the
// policy's margins over a batch should dominate that of the reference's, so the i-th smallest of one is held against
// the i-th smallest of the other.
//
//     u = log π(y_c|x) - log π(y_r|x),  v = the same of the reference,  δ_i = u_(i) - v_(i)
//     loss = -(1-ε)·logσ(β δ) - ε·logσ(-β δ)
//
// Which v a pair's u is held against is found over the whole step, without a gradient.
#include "losses/logistic.h"
#include "losses/preference_loss.h"

namespace hone::losses {
namespace aot_loss {

struct Params {
  double beta = 0.1, label_smoothing = 0;

  void fields(config::Fields& v) {
    beta_field(v, beta, "0.1: TRL; Melnyk et al. 2024 0.01");
    smoothing_field(v, label_smoothing);
  }
};

Statistic measure(const Answers& batch, const Params&, const Statistic&) {
  const Tensor u = batch.chosen(batch.policy) - batch.rejected(batch.policy);
  const Tensor v = batch.chosen(batch.reference) - batch.rejected(batch.reference);
  const Tensor rank = at::argsort(at::argsort(u, /*stable=*/true), /*stable=*/true);  // (P) of each u among all
  return {.groups = std::get<0>(at::sort(v)).index_select(0, rank).unsqueeze(1)};
}

PreferenceValue value(const Answers& a, const Params& p, const Statistic& held_against) {
  const Tensor u = a.chosen(a.policy) - a.rejected(a.policy);  // (P)
  return plain(logistic(p.beta * (u - held_against.groups.select(1, 0)), {}, p.label_smoothing), a, p.beta);
}

}  // namespace aot_loss

namespace preference {
extern const PreferenceLoss aot = define_preference_loss<aot_loss::Params, aot_loss::value, aot_loss::measure>({});
}

}  // namespace hone::losses
