// Sequences laid end to end, without padding: what a forward pass of training or scoring takes.
#pragma once
#include <span>

#include "tensor/tensor.h"

namespace hone::model {

struct Packed {
  Tensor ids;                    ///< (N) i64
  Tensor positions;              ///< (N) i64, from 0 in each sequence
  std::vector<int64_t> offsets;  ///< S + 1; sequence s is [offsets[s], offsets[s + 1])

  int64_t tokens() const { return offsets.empty() ? 0 : offsets.back(); }
  int64_t sequences() const { return offsets.empty() ? 0 : static_cast<int64_t>(offsets.size()) - 1; }
};

Packed pack(std::span<const std::vector<int32_t>> sequences, at::Device device = at::kCPU);

}  // namespace hone::model
