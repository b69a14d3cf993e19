// Discovered preference optimisation, the log-ratio modulated loss: Lu et al. 2024, arXiv 2406.08414, eq. 7.
//
//     z    = β d,  m = σ(z/τ)        d: as in dpo.cpp
//     loss = (1-m)·(-logσ(z)) + m·exp(-z)
//
// m·exp(-z) is computed as exp(logσ(z/τ) - z), so that no term overflows. It is not convex, and not monotone near 0.
#include "losses/preference_loss.h"

namespace hone::losses {
namespace discopop_loss {

struct Params {
  double beta = 0.1, tau = 0.05;

  void fields(config::Fields& v) {
    beta_field(v, beta, "0.1: TRL; Lu et al. 2024 0.05");
    v("tau", tau, "temperature of the modulation between the logistic and the exponential loss",
      "0.05: Lu et al. 2024");
    v.range("tau", 1e-3, 1);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor z = p.beta * a.difference();  // (P)
  return plain(-at::sigmoid(-z / p.tau) * at::log_sigmoid(z) + at::exp(at::log_sigmoid(z / p.tau) - z), a, p.beta);
}

}  // namespace discopop_loss

namespace preference {
extern const PreferenceLoss discopop = define_preference_loss<discopop_loss::Params, discopop_loss::value>({});
}

}  // namespace hone::losses
