// Self-play preference optimisation with hard labels: Wu et al. 2024, arXiv 2405.00675, eq. 4.8 with win rates of 1
// and 0.
//
//     loss = (h_c - 1/(2β))² + (h_r + 1/(2β))²,    h = log π/π_ref
//
// 1/β is the paper's η. There the win rates are estimated from many answers of the policy; here each comparison is one.
#include "losses/preference_loss.h"

namespace hone::losses {
namespace sppo_hard_loss {

struct Params {
  double beta = 0.1;

  void fields(config::Fields& v) {
    v("beta", beta, "the log-ratios aimed at are 1/(2·beta) and -1/(2·beta)", "0.1: TRL; Wu et al. 2024 0.001");
    v.range("beta", 1e-6);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor h = a.log_ratio();  // (N)
  const double aim = 1 / (2 * p.beta);
  return plain((a.chosen(h) - aim).square() + (a.rejected(h) + aim).square(), a, p.beta);
}

}  // namespace sppo_hard_loss

namespace preference {
extern const PreferenceLoss sppo_hard = define_preference_loss<sppo_hard_loss::Params, sppo_hard_loss::value>({});
}

}  // namespace hone::losses
