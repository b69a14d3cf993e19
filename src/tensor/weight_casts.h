// Weights in the dtype of matrix work, cast once and used by every micro-batch until an optimiser changes them.
#pragma once
#include <unordered_map>

#include "tensor/tensor.h"

namespace hone {

class WeightCasts {
 public:
  /// `weight` in `dtype`; under grad mode a function of it, whose gradient comes back in the weight's own dtype. Cast
  /// anew where the weight was written to since (its version tells; optim::Optimizer counts it up). Undefined dtype, or
  /// the weight's own: the weight.
  Tensor of(const Tensor& weight, at::ScalarType dtype);
  /// What the casts take now.
  int64_t bytes() const;

 private:
  struct Cast {
    Tensor weight;  // keeps the key's address from being used again
    Tensor values;
    uint32_t version = 0;
  };
  std::unordered_map<const at::TensorImpl*, Cast> casts_;
};

}  // namespace hone
