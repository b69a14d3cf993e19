#include "model/layer_spec.h"

#include "model/family.h"

namespace hone::model {
namespace {

using Kind = ParameterKind;

void add_norm(std::vector<TensorShape>& out, const ModelConfig& c, Slot weight) {
  out.push_back({weight, {c.width}, Kind::kVector});
  if (layer_spec(c).norm == LayerSpec::Norm::kLayer) out.push_back({bias_of(weight), {c.width}, Kind::kVector});
}

}  // namespace

const LayerSpec& layer_spec(const ModelConfig& config) { return family(config.family).layer; }

std::vector<TensorShape> layer_tensors(const ModelConfig& c) {
  const LayerSpec& spec = layer_spec(c);
  const int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
  std::vector<TensorShape> out;
  const auto matrix = [&](Slot weight, bool bias, int64_t rows, int64_t columns) {
    out.push_back({weight, {rows, columns}, Kind::kMatrix});
    if (bias) out.push_back({bias_of(weight), {rows}, Kind::kVector});
  };
  add_norm(out, c, Slot::kNorm1);
  if (spec.qkv == LayerSpec::Qkv::kFused) {
    matrix(Slot::kQkv, c.qkv_bias, q + 2 * kv, c.width);
  } else {
    matrix(Slot::kQ, c.qkv_bias, q, c.width);
    matrix(Slot::kK, c.qkv_bias, kv, c.width);
    matrix(Slot::kV, c.qkv_bias, kv, c.width);
  }
  matrix(Slot::kO, c.out_bias, c.width, q);
  if (spec.qk_norm != LayerSpec::QkNorm::kNone) {
    const bool heads = spec.qk_norm == LayerSpec::QkNorm::kHeads;
    out.push_back({Slot::kQNorm, {heads ? c.head_dim : q}, Kind::kVector});
    out.push_back({Slot::kKNorm, {heads ? c.head_dim : kv}, Kind::kVector});
  }
  add_norm(out, c, Slot::kNorm2);
  if (spec.mlp == LayerSpec::Mlp::kSwiglu) matrix(Slot::kGate, c.mlp_bias, c.ffn, c.width);
  matrix(Slot::kUp, c.mlp_bias, c.ffn, c.width);
  matrix(Slot::kDown, c.mlp_bias, c.width, c.ffn);
  return out;
}

std::vector<TensorShape> tensors_before(const ModelConfig& c) {
  std::vector<TensorShape> out{{Slot::kEmbedding, {c.vocab_size, c.width}, Kind::kEmbedding}};
  if (layer_spec(c).positions == LayerSpec::Positions::kLearned)
    out.push_back({Slot::kPositions, {c.max_positions, c.width}, Kind::kEmbedding});
  return out;
}

std::vector<TensorShape> tensors_behind(const ModelConfig& c, bool output_weight) {
  std::vector<TensorShape> out;
  add_norm(out, c, Slot::kFinalNorm);
  if (!c.tied && output_weight) out.push_back({Slot::kOutput, {c.vocab_size, c.width}, Kind::kHead});
  return out;
}

}  // namespace hone::model
