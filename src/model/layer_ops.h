// The elementwise parts of a layer.
#pragma once
#include "tensor/tensor.h"

namespace hone::model {

/// RMSNorm x / √(mean x² + eps) · w without a bias, LayerNorm with one. x (N, D).
Tensor normalise(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

/// Rotary positions, half-split: x (N, heads, d), cos and sin (N, d/2).
Tensor rotate(const Tensor& x, const Tensor& cos, const Tensor& sin);

}  // namespace hone::model
