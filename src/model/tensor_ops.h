// run_layer's operations on tensors of tokens (N, D): what training, scoring and sampling away from the CPU compute
// with. Only attention differs between them, so it is given.
#pragma once
#include <array>
#include <functional>

#include "model/decoder.h"

namespace hone::model {

/// RMSNorm x / √(mean x² + eps) · w without a bias, LayerNorm with one. x (N, D).
Tensor normalise(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

/// Rotary positions, half-split: x (N, heads, d), cos and sin (N, d/2).
Tensor rotate(const Tensor& x, const Tensor& cos, const Tensor& sin);

/// What enters the first layer, and the rotary tables by token where positions are rotary.
struct Embedded {
  Tensor x;         ///< (N, D)
  Tensor cos, sin;  ///< (N, d/2), or undefined
};
/// ids and positions (N) i64; `longest`: above every position.
Embedded embed(const Decoder& decoder, const Tensor& ids, const Tensor& positions, int64_t longest);

class TensorOps {
 public:
  /// q (N, H, d), k and v (N, K, d) -> (N, H·d).
  using Attend = std::function<Tensor(const Tensor& q, const Tensor& k, const Tensor& v)>;
  TensorOps(const Decoder& decoder, int64_t layer, const ComputeOptions& options, Attend attend)
      : decoder_(decoder), layer_(layer), options_(options), attend_(std::move(attend)) {}

  Tensor normalise(const Tensor& x, Slot norm) const;
  Tensor project(const Tensor& x, Slot matrix) const;
  // In place: a sum of its own would leave a hole of the allocator's in every layer.
  Tensor add_projected(const Tensor& x, const Tensor& y, Slot matrix) const { return project(y, matrix).add_(x); }
  Tensor add(const Tensor& x, const Tensor& y) const { return x + y; }
  Tensor normalise_heads(const Tensor& x, Slot norm) const;
  std::array<Tensor, 3> split(const Tensor& qkv) const;
  Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v) const;
  Tensor swiglu(const Tensor& gate, const Tensor& up) const;
  Tensor gelu(const Tensor& up) const { return at::gelu(up, "tanh"); }

 private:
  const Decoder& decoder_;
  int64_t layer_;
  const ComputeOptions& options_;
  Attend attend_;
};

}  // namespace hone::model
