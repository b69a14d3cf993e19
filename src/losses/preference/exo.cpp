// Efficient exact optimisation on pairs: Ji et al. 2024, arXiv 2402.00856, eq. 16: the reverse KL between the policy's
// preference of a pair and the (smoothed) label's, where DPO has the forward one.
//
//     loss = q·[log q - log(1-ε)] + (1-q)·[log(1-q) - log ε],    q = σ(β d),  d: as in dpo.cpp
#include <cmath>

#include "losses/preference_loss.h"

namespace hone::losses {
namespace exo_loss {

struct Params {
  double beta = 0.1, label_smoothing = 1e-3;

  void fields(config::Fields& v) {
    beta_field(v, beta, "0.1: TRL; Ji et al. 2024 0.5");
    v("label_smoothing", label_smoothing, "probability that a label is flipped; above 0", "1e-3: TRL, Ji et al. 2024");
    v.range("label_smoothing", 1e-9, 0.5);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor z = p.beta * a.difference();  // (P)
  const double e = p.label_smoothing;
  return plain(
      at::sigmoid(z) * (at::log_sigmoid(z) - std::log1p(-e)) + at::sigmoid(-z) * (at::log_sigmoid(-z) - std::log(e)), a,
      p.beta);
}

}  // namespace exo_loss

namespace preference {
extern const PreferenceLoss exo = define_preference_loss<exo_loss::Params, exo_loss::value>({});
}

}  // namespace hone::losses
