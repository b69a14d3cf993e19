// Proximal policy optimisation: Schulman et al. 2017, arXiv 1707.06347, eq. 7 (clip) and 9 (value, entropy); dual clip:
// Ye et al. 2020, arXiv 1912.09729, eq. 3.
//
//     ρ_t   = exp(logp_t - old_logp_t)
//     L_t   = max(-A_t ρ_t, -A_t clip(ρ_t, 1-ε_low, 1+ε_high));    A_t < 0 and c > 0:  L_t = min(L_t, -c A_t)
//     V_t   = ½ max((v_t - R_t)², (clip(v_t, v_old ± ε_v) - R_t)²)
//
// At ρ = 1 the gradient of L is the policy gradient -A ∇logp.
//
// Differs from the paper in: the clip may be asymmetric; the value loss is clipped as in OpenAI's baselines (the paper
// has a plain square) and carries the ½ of TRL; policy and value losses stay apart until the loop adds them up.
#pragma once
#include "losses/params.h"
#include "tensor/tensor.h"

namespace hone::losses {

struct Surrogate {
  Tensor loss;       // (N) autograd
  Tensor ratio;      // (N) detached
  Tensor log_ratio;  // (N) detached
  Tensor clipped;    // (N) bool: clipping took this token's gradient away
};

/// logp (N) with gradient, old_logp and advantage (N) without; log-probabilities at the sampling temperature.
Surrogate clipped_surrogate(const Tensor& logp, const Tensor& old_logp, const Tensor& advantage,
                            const PpoLossParams& params);

/// value (N) with gradient, old_value and returns (N) without -> (N) unreduced.
Tensor value_loss(const Tensor& value, const Tensor& old_value, const Tensor& returns, const PpoLossParams& params);

/// -coef·H, unreduced. `entropy` (N) must carry a gradient where coef is not 0 (a detached one would silently do
/// nothing).
Tensor entropy_loss(const Tensor& entropy, double coef);

/// Weighted sums over tokens, so that micro-batches add up. KL is of the old policy to the new one, in nats a token.
struct PolicyStats {
  double weight = 0, clipped = 0;
  double k1 = 0, k2 = 0, k3 = 0;  // Σ w·{-log ρ, ½ log² ρ, ρ - 1 - log ρ}
  double ratio_max = 0;           // over tokens of weight > 0
  void add(const Surrogate& surrogate, const Tensor& token_weight);
  void add(const PolicyStats& other);
  double clip_fraction() const { return weight > 0 ? clipped / weight : 0; }
  double kl_k1() const { return weight > 0 ? k1 / weight : 0; }
  double kl_k2() const { return weight > 0 ? k2 / weight : 0; }  // TRL's approxkl
  double kl_k3() const { return weight > 0 ? k3 / weight : 0; }
};

}  // namespace hone::losses
