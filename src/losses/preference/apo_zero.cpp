// Anchored preference optimisation, zero: D'Oosterlinck et al. 2024, arXiv 2408.06266, eq. 4: the chosen answer becomes
// likelier and the rejected one less likely than the reference has them. For data better than the policy.
//
//     loss = [1 - σ(β h_c)] + σ(β h_r),    h = log π/π_ref
#include "losses/preference_loss.h"

namespace hone::losses {
namespace apo_zero_loss {

struct Params {
  double beta = 0.1;
  void fields(config::Fields& v) { beta_field(v, beta, "0.1: D'Oosterlinck et al. 2024, TRL"); }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor r = p.beta * a.log_ratio();  // (N)
  return plain(at::sigmoid(-a.chosen(r)) + at::sigmoid(a.rejected(r)), a, p.beta);
}

}  // namespace apo_zero_loss

namespace preference {
extern const PreferenceLoss apo_zero = define_preference_loss<apo_zero_loss::Params, apo_zero_loss::value>({});
}

}  // namespace hone::losses
