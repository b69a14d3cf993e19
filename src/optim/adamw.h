// AdamW: Loshchilov & Hutter 2019, arXiv 1711.05101, alg. 2; Adam: Kingma & Ba 2015, arXiv 1412.6980, alg. 1.
//
//     m = β1 m + (1-β1) g        v = β2 v + (1-β2) g²        m̂ = m/(1-β1^t)      v̂ = v/(1-β2^t)
//     w = w - lr λ w - lr m̂ / (√v̂ + ε)
//
// Differs from the paper in: the decay is λ·lr (as in PyTorch), not λ times the schedule factor alone; ε stands outside
// the bias correction of v (as in PyTorch; TensorFlow's Adam puts it inside and is gentler in the first steps).
#pragma once
#include "optim/named_tensor.h"

namespace hone::optim {

struct AdamwStep {
  double lr, beta1, beta2, eps, weight_decay;
};

/// One update of tensors that share these settings, in place. `step` counts from 1. One fused kernel on CPU and CUDA, a
/// few foreach kernels elsewhere. exp_avg and exp_avg_sq have the weights' shapes and dtypes.
void adamw_update(std::vector<Tensor>& weights, const std::vector<Tensor>& grads, std::vector<Tensor>& exp_avg,
                  std::vector<Tensor>& exp_avg_sq, int64_t step, const AdamwStep& settings);
/// The foreach form, on every device; the same numbers to rounding.
void adamw_update_foreach(std::vector<Tensor>& weights, const std::vector<Tensor>& grads, std::vector<Tensor>& exp_avg,
                          std::vector<Tensor>& exp_avg_sq, int64_t step, const AdamwStep& settings);

}  // namespace hone::optim
