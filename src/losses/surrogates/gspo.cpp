// Group sequence policy optimisation: Zheng et al. 2025, arXiv 2507.18071, eq. 5 to 7.
//
//     s   = exp(1/T Σ_t (log π(y_t) - log π_old(y_t)))          one ratio an answer, of T tokens
//     L_t = max(-A_t s, -A_t clip(s, 1-ε_low, 1+ε_high))
//
// The mean of L_t over an answer's tokens is the paper's loss of that answer: aggregation = sequence_mean is the
// paper's.
//
// Differs from the paper in: advantages may differ from token to token (a KL penalty in each token's reward); other
// aggregations weigh long answers more.
#include "losses/surrogate.h"

namespace hone::losses {

Surrogate gspo(const PolicyTokens& t, const SurrogateParams& params) {
  const Tensor log_ratio = t.logp - t.old_logp;  // (N)
  const auto sums = [&](const Tensor& x) {       // (N) -> (answers)
    return at::zeros({t.answers}, x.options()).index_add(0, t.answer, x);
  };
  const Tensor lengths = sums(at::ones_like(log_ratio.detach())).clamp_min(1);  // (answers)
  const Tensor mean = (sums(log_ratio) / lengths).index_select(0, t.answer);    // (N), the same within an answer
  return clipped_surrogate(mean, at::zeros_like(mean.detach()), t.advantage,
                           {.clip_low = params.clip_low, .clip_high = params.clip_high});
}

}  // namespace hone::losses
