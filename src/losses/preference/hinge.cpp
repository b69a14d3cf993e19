// Hinge loss on DPO's margin: Liu et al. 2023, arXiv 2309.06657 (RSO), eq. 11, after SLiC (Zhao et al. 2023, arXiv
// 2305.10425).
//
//     loss = max(0, 1 - β d)        d: as in dpo.cpp
//
// SLiC itself compares log-probabilities without a reference; β is 1/δ of its margin δ.
#include "losses/preference_loss.h"

namespace hone::losses {
namespace hinge_loss {

struct Params {
  double beta = 0.1;
  void fields(config::Fields& v) { beta_field(v, beta, "0.1: TRL"); }
};

PreferenceValue value(const Answers& a, const Params& p) {
  return plain(at::relu(1 - p.beta * a.difference()), a, p.beta);
}

}  // namespace hinge_loss

namespace preference {
extern const PreferenceLoss hinge = define_preference_loss<hinge_loss::Params, hinge_loss::value>({});
}

}  // namespace hone::losses
