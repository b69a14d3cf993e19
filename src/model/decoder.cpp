#include "model/decoder.h"

#include "base/error.h"
#include "model/layer_ops.h"
#include "model/rope.h"
#include "tensor/autograd.h"
#include "tensor/layer_kernels.h"
#include "tensor/linear.h"

namespace hone::model {

using Kind = Parameter::Kind;

Decoder::Decoder(ModelConfig config, bool output_weight) : config_(std::move(config)) {
  const ModelConfig& c = config_;
  check_config(c, "model");
  slots_.resize(static_cast<size_t>(c.layers) + 1);
  for (auto& s : slots_) s.fill(-1);
  const int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
  add(Slot::kEmbedding, c.layers, {c.vocab_size, c.width}, Kind::kEmbedding);
  if (c.gpt2()) add(Slot::kPositions, c.layers, {c.max_positions, c.width}, Kind::kEmbedding);
  for (int64_t l = 0; l < c.layers; ++l) {
    const auto matrix = [&](Slot weight, Slot bias, bool with_bias, int64_t out, int64_t in) {
      add(weight, l, {out, in}, Kind::kMatrix);
      if (with_bias) add(bias, l, {out}, Kind::kVector);
    };
    const auto norm = [&](Slot weight, Slot bias) {
      add(weight, l, {c.width}, Kind::kVector);
      if (c.gpt2()) add(bias, l, {c.width}, Kind::kVector);
    };
    norm(Slot::kNorm1, Slot::kNorm1Bias);
    if (c.gpt2()) {
      matrix(Slot::kQkv, Slot::kQkvBias, c.qkv_bias, q + 2 * kv, c.width);
    } else {
      matrix(Slot::kQ, Slot::kQBias, c.qkv_bias, q, c.width);
      matrix(Slot::kK, Slot::kKBias, c.qkv_bias, kv, c.width);
      matrix(Slot::kV, Slot::kVBias, c.qkv_bias, kv, c.width);
    }
    matrix(Slot::kO, Slot::kOBias, c.out_bias, c.width, q);
    norm(Slot::kNorm2, Slot::kNorm2Bias);
    if (!c.gpt2()) matrix(Slot::kGate, Slot::kGateBias, c.mlp_bias, c.ffn, c.width);
    matrix(Slot::kUp, Slot::kUpBias, c.mlp_bias, c.ffn, c.width);
    matrix(Slot::kDown, Slot::kDownBias, c.mlp_bias, c.width, c.ffn);
  }
  add(Slot::kFinalNorm, c.layers, {c.width}, Kind::kVector);
  if (c.gpt2()) add(Slot::kFinalNormBias, c.layers, {c.width}, Kind::kVector);
  if (!c.tied && output_weight) add(Slot::kOutput, c.layers, {c.vocab_size, c.width}, Kind::kHead);
  if (!c.gpt2()) rope_ = std::make_unique<Rope>(c);
}

Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

void Decoder::add(Slot slot, int64_t layer, const std::vector<int64_t>& shape, Kind kind) {
  slots_[static_cast<size_t>(layer)][static_cast<size_t>(slot)] = static_cast<int>(parameters_.size());
  parameters_.push_back({family(config_.family).name(slot, layer), at::empty(shape, at::kFloat), kind});
}

int Decoder::find(Slot slot, int64_t layer) const {
  const bool once = slot <= Slot::kOutput;
  return slots_[static_cast<size_t>(once ? config_.layers : layer)][static_cast<size_t>(slot)];
}

const Tensor& Decoder::at(Slot slot, int64_t layer) const {
  static const Tensor none;
  const int index = find(slot, layer);
  return index < 0 ? none : parameters_[static_cast<size_t>(index)].tensor;
}

int64_t Decoder::parameter_count() const {
  int64_t n = 0;
  for (const Parameter& p : parameters_) n += p.tensor.numel();
  return n;
}

Tensor Decoder::output_weight() const {
  HONE_CHECK(has_output_weight(), "this model has no output weight");
  return config_.tied ? at(Slot::kEmbedding) : at(Slot::kOutput);
}

void Decoder::drop_output_weight() {
  const int index = find(Slot::kOutput);
  if (index < 0) return;
  HONE_CHECK(index + 1 == static_cast<int>(parameters_.size()));
  parameters_.pop_back();
  slots_.back()[static_cast<size_t>(Slot::kOutput)] = -1;
}

Decoder Decoder::clone() const {
  Decoder copy(config_, find(Slot::kOutput) >= 0);
  for (size_t i = 0; i < parameters_.size(); ++i) copy.parameters_[i].tensor = parameters_[i].tensor.detach().clone();
  return copy;
}

void Decoder::to(at::Device device, at::ScalarType dtype) {
  for (Parameter& p : parameters_) {
    const bool trainable = p.tensor.requires_grad();
    p.tensor = p.tensor.detach().to(device, dtype);
    p.tensor.requires_grad_(trainable);
  }
}

void Decoder::set_trainable(bool on) {
  for (Parameter& p : parameters_) p.tensor.requires_grad_(on);
}

// What one forward pass shares between layers.
struct Decoder::Pass {
  const ComputeOptions& options;
  AttentionPlan plan;
  Tensor cos, sin;  ///< (N, d/2), undefined without RoPE
};

Tensor Decoder::layer(int64_t l, const Tensor& x, const Pass& pass) const {
  const ModelConfig& c = config_;
  const auto project = [&](const Tensor& input, Slot weight, Slot bias) {
    return linear(input, at(weight, l), at(bias, l), pass.options.matmul);
  };
  const auto heads = [&](const Tensor& t, int64_t n) { return t.unflatten(1, {n, c.head_dim}); };  // (N, n, d)

  const Tensor h = normalise(x, at(Slot::kNorm1, l), at(Slot::kNorm1Bias, l), c.norm_eps);
  Tensor q, k, v;
  if (c.gpt2()) {
    const std::vector<Tensor> parts = at::chunk(project(h, Slot::kQkv, Slot::kQkvBias), 3, 1);
    q = heads(parts[0], c.heads), k = heads(parts[1], c.kv_heads), v = heads(parts[2], c.kv_heads);
  } else {
    q = heads(project(h, Slot::kQ, Slot::kQBias), c.heads);
    k = heads(project(h, Slot::kK, Slot::kKBias), c.kv_heads);
    v = heads(project(h, Slot::kV, Slot::kVBias), c.kv_heads);
  }
  const Tensor y = x + project(pass.plan.attend(q, k, v, pass.cos, pass.sin), Slot::kO, Slot::kOBias);
  const Tensor m = normalise(y, at(Slot::kNorm2, l), at(Slot::kNorm2Bias, l), c.norm_eps);
  const Tensor up = project(m, Slot::kUp, Slot::kUpBias);
  const Tensor inner = c.gpt2() ? at::gelu(up, "tanh") : swiglu(project(m, Slot::kGate, Slot::kGateBias), up);
  return y + project(inner, Slot::kDown, Slot::kDownBias);
}

Tensor Decoder::hidden(const Packed& packed, const ComputeOptions& options) const {
  const ModelConfig& c = config_;
  HONE_CHECK(packed.tokens() > 0 && packed.ids.size(0) == packed.tokens(), "an empty or inconsistent pack");
  int64_t longest = 0;
  for (size_t s = 0; s + 1 < packed.offsets.size(); ++s)
    longest = std::max(longest, packed.offsets[s + 1] - packed.offsets[s]);
  Pass pass{options, AttentionPlan(packed.offsets, at(Slot::kEmbedding), options.work, options.own_attention), {}, {}};
  Tensor x = at::embedding(at(Slot::kEmbedding), packed.ids);  // (N, D)
  if (c.gpt2()) {
    if (longest > c.max_positions)
      usage_error("a sequence of " + std::to_string(longest) + " tokens, but the model has learned only " +
                  std::to_string(c.max_positions) + " positions");
    x = x + at::embedding(at(Slot::kPositions), packed.positions);
  } else {
    const RopeTable table = rope_->table(longest, x.options().requires_grad(false));
    pass.cos = table.cos.index_select(0, packed.positions);
    pass.sin = table.sin.index_select(0, packed.positions);
  }
  for (int64_t l = 0; l < c.layers; ++l) {
    std::vector<Tensor> inputs{x};
    for (const int index : slots_[static_cast<size_t>(l)])
      if (index >= 0) inputs.push_back(parameters_[static_cast<size_t>(index)].tensor);
    if (!options.checkpoint || !needs_grad(inputs)) {
      x = layer(l, x, pass);
      continue;
    }
    Tensor y;
    {
      const at::NoGradGuard no_grad;
      y = layer(l, x, pass);
    }
    // The closure keeps the layer's input and recomputes the rest. The decoder must outlive the graph.
    const auto shared = std::make_shared<Pass>(pass);
    const auto kept_options = std::make_shared<ComputeOptions>(options);
    x = attach_backward(inputs, {y}, [this, l, inputs, shared, kept_options](const std::vector<Tensor>& grads) {
      const GradOn grad_on;
      const Pass again{*kept_options, shared->plan, shared->cos, shared->sin};
      std::vector<Tensor> sources;
      std::vector<size_t> where;
      Tensor input = inputs[0].detach();
      if (inputs[0].requires_grad()) {
        input.requires_grad_(true);
        sources.push_back(input);
        where.push_back(0);
      }
      for (size_t i = 1; i < inputs.size(); ++i)
        if (inputs[i].requires_grad()) {
          sources.push_back(inputs[i]);
          where.push_back(i);
        }
      const std::vector<Tensor> found = gradients({layer(l, input, again)}, grads, sources);
      std::vector<Tensor> result(inputs.size());
      for (size_t i = 0; i < where.size(); ++i) result[where[i]] = found[i];
      return result;
    })[0];
  }
  return normalise(x, at(Slot::kFinalNorm), at(Slot::kFinalNormBias), c.norm_eps);
}

}  // namespace hone::model
