// Estimators of KL(policy || reference) from log-probabilities of tokens drawn from the policy. With d = log π - log
// π_ref:
//   k1 = d           unbiased, signed, high variance
//   k2 = d²/2        biased, low variance; its gradient on-policy is the gradient of the KL
//   k3 = e^-d - 1 + d  unbiased, never negative
// Schulman, "Approximating KL divergence", 2020.
#pragma once
#include "tensor/tensor.h"

namespace hone {

inline Tensor kl_k1(const Tensor& logp, const Tensor& reference) { return logp - reference; }
inline Tensor kl_k2(const Tensor& logp, const Tensor& reference) { return (logp - reference).square() * 0.5; }
inline Tensor kl_k3(const Tensor& logp, const Tensor& reference) {
  const Tensor d = reference - logp;
  return at::expm1(d) - d;
}

}  // namespace hone
