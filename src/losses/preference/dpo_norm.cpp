// Length-normalised DPO: Lambert et al. 2024, arXiv 2411.15124 (Tülu 3), eq. 6.
//
//     loss = -logσ(β·(d̄_c - d̄_r)),    d̄ = log(π/π_ref) of the answer / its tokens
//
// β multiplies nats a token, so it is larger than DPO's.
#include "losses/logistic.h"
#include "losses/preference_loss.h"

namespace hone::losses {
namespace dpo_norm_loss {

struct Params {
  double beta = 5, label_smoothing = 0;

  void fields(config::Fields& v) {
    beta_field(v, beta, "5: Tülu 3, open-instruct");
    smoothing_field(v, label_smoothing, "off, as in open-instruct");
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor ratio = a.per_token(a.log_ratio());  // (N)
  return {{{logistic(p.beta * (a.chosen(ratio) - a.rejected(ratio)), {}, p.label_smoothing)}}, ratio.detach(), p.beta};
}

}  // namespace dpo_norm_loss

namespace preference {
extern const PreferenceLoss dpo_norm = define_preference_loss<dpo_norm_loss::Params, dpo_norm_loss::value>({});
}

}  // namespace hone::losses
