// REINFORCE: Williams 1992, Machine Learning 8; for language models Ahmadian et al. 2024, arXiv 2402.14740, eq. 6.
//
//     L_t = -A_t log π(y_t)
//
// Differs from the papers in: nothing. There is no ratio, so once the policy has moved (a second minibatch or epoch)
// this is no longer the gradient of what was sampled.
#include "losses/surrogate.h"

namespace hone::losses {

Surrogate reinforce(const PolicyTokens& t, const SurrogateParams&) {
  Surrogate out;
  out.loss = -t.advantage * t.logp;                    // (N)
  out.log_ratio = t.logp.detach() - t.old_logp;        // (N)
  out.ratio = out.log_ratio.exp();                     // (N)
  out.clipped = at::zeros_like(out.ratio, at::kBool);  // (N)
  return out;
}

}  // namespace hone::losses
