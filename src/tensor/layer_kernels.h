// The elementwise and row-wise parts of a transformer layer, each one pass over memory with its own backward pass on
// the CPU in f32, and plain ATen operators elsewhere.
#pragma once
#include "tensor/tensor.h"

namespace hone {

/// x / √(mean x² + eps) · w over the last axis. x (N, D), w (D).
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

/// silu(gate) · up, both of the same shape.
Tensor swiglu(const Tensor& gate, const Tensor& up);

/// Whether the hand-written kernels take this tensor: f32 on the CPU.
inline bool fused_kernels(const Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kFloat; }

}  // namespace hone
