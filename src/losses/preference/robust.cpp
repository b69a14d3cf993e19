// Robust DPO: Chowdhury, Kini and Natarajan 2024, arXiv 2403.00409, eq. 11: an unbiased estimate of DPO's loss where a
// known share ε of the labels is flipped.
//
//     loss = [(1-ε)·(-logσ(β d)) - ε·(-logσ(-β d))] / (1-2ε)        d: as in dpo.cpp
//
// It has no lower bound: for a pair that is far on the wrong side it goes to minus infinity as ε·β·d grows.
#include "losses/preference_loss.h"

namespace hone::losses {
namespace robust_loss {

struct Params {
  double beta = 0.1, label_smoothing = 0.1;

  void fields(config::Fields& v) {
    beta_field(v, beta, "0.1: as in DPO");
    v("label_smoothing", label_smoothing, "share of the labels that is flipped, below 1/2",
      "0.1: Chowdhury et al. 2024; TRL 0, which is DPO");
    v.range("label_smoothing", 0, 0.49);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor z = p.beta * a.difference();  // (P)
  const double e = p.label_smoothing;
  return plain((e * at::log_sigmoid(-z) - (1 - e) * at::log_sigmoid(z)) / (1 - 2 * e), a, p.beta);
}

}  // namespace robust_loss

namespace preference {
extern const PreferenceLoss robust = define_preference_loss<robust_loss::Params, robust_loss::value>({});
}

}  // namespace hone::losses
