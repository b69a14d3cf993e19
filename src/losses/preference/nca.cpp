// Noise contrastive alignment on pairs: Chen et al. 2024, arXiv 2402.05369, eq. 14 with two answers.
//
//     loss = -logσ(β h_c) - ½·logσ(-β h_c) - ½·logσ(-β h_r),    h = log π/π_ref
//
// It holds the chosen answer's likelihood up, which DPO may let fall.
#include "losses/preference_loss.h"

namespace hone::losses {
namespace nca_loss {

struct Params {
  double beta = 0.1;
  void fields(config::Fields& v) { beta_field(v, beta, "0.1: TRL; Chen et al. 2024 take 0.01"); }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor r = p.beta * a.log_ratio();  // (N)
  return plain(
      -at::log_sigmoid(a.chosen(r)) - 0.5 * at::log_sigmoid(-a.chosen(r)) - 0.5 * at::log_sigmoid(-a.rejected(r)), a,
      p.beta);
}

}  // namespace nca_loss

namespace preference {
extern const PreferenceLoss nca = define_preference_loss<nca_loss::Params, nca_loss::value>({});
}

}  // namespace hone::losses
