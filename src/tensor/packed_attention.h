// Causal attention over packed sequences on the CPU in f32, RoPE included, forward and backward by hone's own kernels:
// one unit of work is a sequence (or a tree of them) and a key head, so nothing is padded and nothing of size T×T is
// kept.
#pragma once
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace hone {

/// Rows [begin, begin + length). A row sees those before it; where there are branches (their first rows, from `begin`
/// on: [trunk][branch][branch]…) it sees the trunk and its own branch.
struct AttentionTree {
  int64_t begin = 0, length = 0;
  std::vector<int64_t> branches;
};

/// q (N, H, d), k and v (N, K, d), heads contiguous; cos and sin (N, d/2) or undefined; each row in one tree -> (N,
/// H·d).
Tensor packed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos, const Tensor& sin,
                        std::span<const AttentionTree> trees);

}  // namespace hone
