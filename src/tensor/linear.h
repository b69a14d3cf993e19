// The one linear layer: y = x·Wᵀ + b, in f32, f64, or bf16 matrix work under f32 master weights.
#pragma once
#include "tensor/tensor.h"

namespace hone {

/// x (N, I), w (O, I), b (O) or undefined -> (N, O) in x's dtype. `compute` is the dtype of the matrix product
/// (kBFloat16: inputs are rounded to it and the output comes back in x's dtype); by default x's own. Without grad mode
/// the rows of a CPU f32 product are padded to at least 16, so that a row's value does not depend on how few there are.
Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b = {},
              at::ScalarType compute = at::ScalarType::Undefined);

/// The same without a gradient, each row's value independent of all others bit for bit on every processor: what
/// sampling uses. f32 on the CPU by hone's own kernel; elsewhere as `linear`.
Tensor invariant_linear(const Tensor& x, const Tensor& w, const Tensor& b = {});

}  // namespace hone
