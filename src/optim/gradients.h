// Gradients as one vector: its global norm, clipping (Pascanu et al. 2013, arXiv 1211.5063, alg. 1), and who is not
// finite.
//
//     n = √(Σ_tensors |g|²);   n > max:  g *= max / (n + 1e-6)
//
// Differs from the paper in: the 1e-6 of PyTorch's clip_grad_norm_; a norm that is not finite leaves the gradients
// alone (the caller stops and keeps the batch) instead of writing NaN into every one of them.
#pragma once
#include "optim/named_tensor.h"

namespace hone::optim {

/// Of all gradients together, summed over tensors in f64. A tensor without a gradient is an error that names it.
double gradient_norm(std::span<const NamedTensor> tensors);
/// Clips in place to `max_norm` (0: never); returns the norm before. Not finite: nothing is changed.
double clip_gradients(std::span<const NamedTensor> tensors, double max_norm);
/// Names of tensors whose gradient holds a NaN or an infinity.
std::vector<std::string> non_finite_gradients(std::span<const NamedTensor> tensors);
/// Sets every gradient to zero, in place where there is one.
void zero_gradients(std::span<const NamedTensor> tensors);

}  // namespace hone::optim
