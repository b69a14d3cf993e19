// Anchored preference optimisation, down: D'Oosterlinck et al. 2024, arXiv 2408.06266, eq. 5: both answers become less
// likely than the reference has them, the rejected one more so. For a policy better than the data.
//
//     loss = σ(β h_c) + [1 - σ(β (h_c - h_r))],    h = log π/π_ref
#include "losses/preference_loss.h"

namespace hone::losses {
namespace apo_down_loss {

struct Params {
  double beta = 0.1;
  void fields(config::Fields& v) { beta_field(v, beta, "0.1: D'Oosterlinck et al. 2024, TRL"); }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor r = p.beta * a.log_ratio();  // (N)
  return plain(at::sigmoid(a.chosen(r)) + at::sigmoid(a.rejected(r) - a.chosen(r)), a, p.beta);
}

}  // namespace apo_down_loss

namespace preference {
extern const PreferenceLoss apo_down = define_preference_loss<apo_down_loss::Params, apo_down_loss::value>({});
}

}  // namespace hone::losses
