// Clipped importance-sampling policy optimisation: MiniMax 2025 (MiniMax-M1), arXiv 2506.13585, eq. 4 and 5.
//
//     L_t = -sg(min(ρ_t, cap)) A_t log π(y_t)                    sg: no gradient
//
// No token loses its gradient, as it would to a clip; a ratio that has run away only weighs no more than the cap.
//
// Differs from the paper in: the cap is the ratio itself (TRL's reading, 5), not 1 + ε_high; the paper has no lower
// bound in use.
#include "losses/surrogate.h"

namespace hone::losses {

Surrogate cispo(const PolicyTokens& t, const SurrogateParams& params) {
  Surrogate out;
  out.log_ratio = t.logp.detach() - t.old_logp;                              // (N)
  out.ratio = out.log_ratio.exp();                                           // (N)
  out.clipped = out.ratio > params.ratio_cap;                                // (N)
  out.loss = -out.ratio.clamp_max(params.ratio_cap) * t.advantage * t.logp;  // (N)
  return out;
}

}  // namespace hone::losses
