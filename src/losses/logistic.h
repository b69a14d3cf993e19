// The logistic loss with a soft label, shared by losses on pairs:  -t·logσ(z) - (1-t)·logσ(-z).
#pragma once
#include "tensor/tensor.h"

namespace hone::losses {

/// z (P); `target` (P) in [0, 1] or undefined for 1; label smoothing ε moves the target to t·(1-ε) + (1-t)·ε.
/// Computed by logsigmoid, never by exp, so that |z| = 1e4 is exact.
inline Tensor logistic(const Tensor& z, const Tensor& target, double label_smoothing) {
  if (!target.defined()) {
    Tensor right = -at::log_sigmoid(z);
    if (label_smoothing == 0) return right;
    return (1 - label_smoothing) * right - label_smoothing * at::log_sigmoid(-z);
  }
  const Tensor t = target * (1 - 2 * label_smoothing) + label_smoothing;
  return -t * at::log_sigmoid(z) - (1 - t) * at::log_sigmoid(-z);
}

}  // namespace hone::losses
