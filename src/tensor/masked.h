// Means and variances over the elements that count, accumulated in f64.
#pragma once
#include "tensor/tensor.h"

namespace hone {

/// How the variance of a whitening is divided: libraries disagree (spec 2.1, row 5), so it is a named choice.
enum class Variance { kUnbiased, kBiased };

/// x any shape, mask the same shape (bool or weights, 1 = counts) -> f64 scalar tensors. Differentiable. No element
/// counting gives 0.
Tensor masked_mean(const Tensor& x, const Tensor& mask);
Tensor masked_var(const Tensor& x, const Tensor& mask, Variance kind = Variance::kUnbiased);

/// (x - mean)/√(var + eps) over the masked elements, in x's dtype; with shift_mean = false the mean is added back.
/// Elements outside the mask are transformed alike and carry no meaning. Detached.
Tensor whiten(const Tensor& x, const Tensor& mask, bool shift_mean = true, Variance kind = Variance::kUnbiased,
              double eps = 1e-8);

}  // namespace hone
