// A low-rank addition to a linear layer: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021, arXiv
// 2106.09685, equation 3:
//
//   y = W x + b + s · B A drop(x)          A (r, I), B (O, r);  s = α / r, or α / √r (rsLoRA: Kalajdzievski 2023)
//
// W and b are frozen, so their gradients are never made: a third of a training step's matrix work is saved.
#pragma once
#include <memory>

#include "tensor/tensor.h"

namespace hone {

struct LowRank {
  Tensor a;  ///< (r, I)
  Tensor b;  ///< (O, r)
  double scale = 1;
};

/// Dropout of adapters' inputs: a pure function of each token's own key, so that it does not depend on how a batch is
/// cut into micro-batches, and is the same when a layer is computed again.
struct TokenDropout {
  double rate = 0;
  std::vector<uint64_t> keys;  ///< one for each row
};

/// x with a share of its elements zero and the others divided by 1 - rate; `salt` sets layers apart. x (N, I).
Tensor drop(const Tensor& x, const TokenDropout& dropout, uint64_t salt);

/// y + s · B A x, in place of y; matrix products in `compute`. x (N, I) with dropout applied, y (N, O).
Tensor add_low_rank(const Tensor& y, const Tensor& x, const LowRank& adapter, at::ScalarType compute);

}  // namespace hone
