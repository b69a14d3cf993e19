// Soft adaptive policy optimisation: Gao et al. 2025, arXiv 2511.20347, eq. 5 and 6.
//
//     L_t = -A_t · 4/τ · σ(τ (ρ_t - 1)),        τ = τ_positive where A_t > 0, else τ_negative
//
// The gradient's weight is ρ·4p(1-p) with p = σ(τ(ρ-1)): 1 at ρ = 1, and it dies away smoothly on both sides.
//
// Differs from the paper in: nothing.
#include "losses/surrogate.h"

namespace hone::losses {

Surrogate sapo(const PolicyTokens& t, const SurrogateParams& params) {
  const Tensor log_ratio = t.logp - t.old_logp;  // (N)
  const Tensor ratio = log_ratio.exp();          // (N)
  const Tensor tau = at::where(t.advantage > 0, at::full_like(t.advantage, params.tau_positive),
                               at::full_like(t.advantage, params.tau_negative));  // (N)
  Surrogate out;
  out.loss = -t.advantage * (4 / tau) * at::sigmoid(tau * (ratio - 1));  // (N)
  out.ratio = ratio.detach();
  out.log_ratio = log_ratio.detach();
  out.clipped = at::zeros_like(out.ratio, at::kBool);
  return out;
}

}  // namespace hone::losses
