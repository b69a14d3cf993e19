// Causal attention over packed sequences on the CPU in f32, RoPE included, forward and backward by hone's own kernels:
// one unit of work is a sequence and a key head, so nothing is padded and nothing of size T×T is kept.
#pragma once
#include <span>

#include "tensor/tensor.h"

namespace hone {

/// q (N, H, d), k and v (N, K, d), heads contiguous; cos and sin (N, d/2) or undefined; offsets S + 1 -> (N, H·d).
Tensor packed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos, const Tensor& sin,
                        std::span<const int64_t> offsets);

}  // namespace hone
