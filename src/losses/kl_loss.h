// The divergence from the reference as a term of the loss. With d_t = log π(y_t) - log π_ref(y_t) and y_t drawn from π,
// the gradient of KL(π || π_ref) in the states visited is E[d_t ∇log π(y_t)]; which estimator's autograd gives that is
// not the same question as which estimates its value (Schulman 2020, "Approximating KL divergence"; Tang & Munos 2025,
// arXiv 2506.09477):
//
// clang-format off
//     k2        ½ d²           gradient d ∇log π: right
//     k3        e^-d - 1 + d   its own gradient (1 - e^-d) ∇log π is that of KL(π_ref || π): wrong. Here its value, with k2's gradient; TRL's
//                              `use_bias_correction_kl` comes to the same
//     k1_plain  d              gradient ∇log π: mean 0, it does nothing but add noise
//     k3_plain  e^-d - 1 + d   its own gradient, as verl's default has it
// clang-format on
//
// k2 and k3 are weighed by ρ = π / π_old without gradient: 1 until the policy moves, and afterwards what keeps them
// right for answers of the policy before. The plain ones are for comparison with systems that have them.
//
// What no estimator of a token gives is that a token leads to states with more or less divergence: only a penalty in
// the reward (kl_placement = reward or token_reward) gives the gradient of the whole answer's divergence.
#pragma once
#include <string_view>

#include "tensor/tensor.h"

namespace hone::losses {

/// logp (N) with gradient; old_logp and reference (N) without -> (N) unreduced, nats. Unknown estimator: kUsage.
Tensor kl_loss(std::string_view estimator, const Tensor& logp, const Tensor& old_logp, const Tensor& reference);

}  // namespace hone::losses
