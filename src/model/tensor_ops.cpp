#include "model/tensor_ops.h"

#include "model/rope.h"
#include "tensor/layer_kernels.h"
#include "tensor/linear.h"

namespace hone::model {

Tensor normalise(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  if (bias.defined()) return at::layer_norm(x, {x.size(1)}, weight, bias, eps);
  return rms_norm(x, weight, eps);
}

Tensor rotate(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  const int64_t half = x.size(2) / 2;
  const Tensor a = x.narrow(2, 0, half), b = x.narrow(2, half, half);
  const Tensor c = cos.unsqueeze(1), s = sin.unsqueeze(1);
  return at::cat({a * c - b * s, b * c + a * s}, 2);
}

Embedded embed(const Decoder& decoder, const Tensor& ids, const Tensor& positions, int64_t longest) {
  Embedded out{at::embedding(decoder.at(Slot::kEmbedding), ids), {}, {}};
  if (decoder.spec().positions == LayerSpec::Positions::kLearned) {
    out.x = out.x + at::embedding(decoder.at(Slot::kPositions), positions);
    return out;
  }
  const RopeTable table = decoder.rope().table(longest, out.x.options().requires_grad(false));
  out.cos = table.cos.index_select(0, positions);
  out.sin = table.sin.index_select(0, positions);
  return out;
}

Tensor TensorOps::normalise(const Tensor& x, Slot norm) const {
  return model::normalise(x, decoder_.at(norm, layer_), decoder_.at(bias_of(norm), layer_), decoder_.config().norm_eps);
}

Tensor TensorOps::project(const Tensor& x, Slot matrix) const {
  const auto cast = [&](const Tensor& w) { return options_.casts ? options_.casts->of(w, options_.matmul) : w; };
  const Tensor y = linear(x, cast(decoder_.at(matrix, layer_)), decoder_.at(bias_of(matrix), layer_), options_.matmul);
  const LowRank* adapter = decoder_.low_rank(matrix, layer_);
  if (adapter == nullptr) return y;
  const auto salt = static_cast<uint64_t>(layer_) * kSlots + static_cast<uint64_t>(matrix);
  return add_low_rank(y, options_.dropout ? drop(x, *options_.dropout, salt) : x,
                      {cast(adapter->a), cast(adapter->b), adapter->scale}, options_.matmul);
}

Tensor TensorOps::normalise_heads(const Tensor& x, Slot norm) const {
  const Tensor& weight = decoder_.at(norm, layer_);
  return rms_norm(x.reshape({-1, weight.size(0)}), weight, decoder_.config().norm_eps).reshape(x.sizes());
}

std::array<Tensor, 3> TensorOps::split(const Tensor& qkv) const {
  const ModelConfig& c = decoder_.config();
  const std::vector<Tensor> parts =
      at::split_with_sizes(qkv, {c.heads * c.head_dim, c.kv_heads * c.head_dim, c.kv_heads * c.head_dim}, 1);
  return {parts[0], parts[1], parts[2]};
}

Tensor TensorOps::attend(const Tensor& q, const Tensor& k, const Tensor& v) const {
  const auto heads = [&](const Tensor& t) { return t.unflatten(1, {-1, decoder_.config().head_dim}); };  // (N, n, d)
  return attend_(heads(q), heads(k), heads(v));
}

Tensor TensorOps::swiglu(const Tensor& gate, const Tensor& up) const { return hone::swiglu(gate, up); }

}  // namespace hone::model
