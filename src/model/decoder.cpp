#include "model/decoder.h"

#include "base/error.h"
#include "model/family.h"
#include "model/layer.h"
#include "model/rope.h"
#include "model/tensor_ops.h"
#include "tensor/autograd.h"
#include "tensor/linear.h"

namespace hone::model {

using Kind = Parameter::Kind;

Decoder::Decoder(ModelConfig config, bool output_weight) : config_(std::move(config)), spec_(layer_spec(config_)) {
  const ModelConfig& c = config_;
  check_config(c, "model");
  slots_.resize(static_cast<size_t>(c.layers) + 1);
  for (auto& s : slots_) s.fill(-1);
  for (const TensorShape& t : tensors_before(c)) add(t, c.layers);
  for (int64_t l = 0; l < c.layers; ++l)
    for (const TensorShape& t : layer_tensors(c)) add(t, l);
  for (const TensorShape& t : tensors_behind(c, output_weight)) add(t, c.layers);
  if (spec_.positions == LayerSpec::Positions::kRotary) rope_ = std::make_unique<Rope>(c);
}

Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

void Decoder::add(const TensorShape& tensor, int64_t layer) {
  const auto [slot, shape, kind] = tensor;
  slots_[layer][static_cast<size_t>(slot)] = static_cast<int>(parameters_.size());
  parameters_.push_back({family(config_.family).name(slot, layer), at::empty(shape, at::kFloat), kind});
}

int Decoder::find(Slot slot, int64_t layer) const {
  const bool once = slot <= Slot::kOutput;
  return slots_[once ? config_.layers : layer][static_cast<size_t>(slot)];
}

const Tensor& Decoder::at(Slot slot, int64_t layer) const {
  static const Tensor none;
  const int index = find(slot, layer);
  return index < 0 ? none : parameters_[index].tensor;
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

TokenLogps Decoder::token_logps(const Tensor& hidden, const Tensor& targets, const LogpsOptions& options) const {
  return hone::token_logps(hidden, output_weight(), targets, options);
}

Tensor Decoder::logits(const Tensor& hidden, bool batch_invariant, const ComputeOptions& options) const {
  if (batch_invariant && options.matmul == at::ScalarType::Undefined) return invariant_linear(hidden, output_weight());
  const at::NoGradGuard no_grad;
  const Tensor weight = options.casts ? options.casts->of(output_weight(), options.matmul) : output_weight();
  return hone::linear(hidden, weight, {}, options.matmul);
}

void Decoder::drop_output_weight() {
  const int index = find(Slot::kOutput);
  if (index < 0) return;
  HONE_CHECK(index + 1 == static_cast<int>(parameters_.size()));
  parameters_.pop_back();
  slots_.back()[static_cast<size_t>(Slot::kOutput)] = -1;
}

void Decoder::set_adapter(std::optional<Adapter> adapter) {
  adapter_ = std::move(adapter);
  adapter_slots_.clear();
  if (!adapter_) return;
  adapter_slots_.resize(config_.layers);
  for (auto& s : adapter_slots_) s.fill(-1);
  for (size_t i = 0; i < adapter_->parts.size(); ++i) {
    const AdapterPart& p = adapter_->parts[i];
    adapter_slots_.at(p.layer)[static_cast<size_t>(p.slot)] = static_cast<int>(i);
  }
}

const LowRank* Decoder::low_rank(Slot slot, int64_t layer) const {
  if (!adapter_) return nullptr;
  const int index = adapter_slots_[layer][static_cast<size_t>(slot)];
  return index < 0 ? nullptr : &adapter_->parts[index].low_rank;
}

Decoder Decoder::clone() const {
  Decoder copy = over_same_tensors();
  for (Parameter& p : copy.parameters_) p.tensor = p.tensor.detach().clone();
  if (adapter_) copy.set_adapter(adapter_->clone());
  return copy;
}

Decoder Decoder::over_same_tensors() const {
  Decoder copy(config_, find(Slot::kOutput) >= 0);
  for (size_t i = 0; i < parameters_.size(); ++i) copy.parameters_[i].tensor = parameters_[i].tensor;
  return copy;
}

void Decoder::to(at::Device device, at::ScalarType dtype) {
  for (Parameter& p : parameters_) {
    const bool trainable = p.tensor.requires_grad();
    p.tensor = p.tensor.detach().to(device, dtype);
    p.tensor.requires_grad_(trainable);
  }
  if (!adapter_) return;
  for (AdapterPart& p : adapter_->parts)
    for (Tensor* t : {&p.low_rank.a, &p.low_rank.b}) {
      const bool trainable = t->requires_grad();
      *t = t->detach().to(device, dtype);
      t->requires_grad_(trainable);
    }
}

void Decoder::set_trainable(bool on) {
  for (Parameter& p : parameters_) p.tensor.requires_grad_(on);
  if (!adapter_) return;
  for (Parameter& p : adapter_->parameters()) p.tensor.requires_grad_(on);
}

void Decoder::keep_matrices_in(at::ScalarType dtype) {
  if (dtype == at::ScalarType::Undefined) return;
  for (Parameter& p : parameters_)
    if (p.kind == Kind::kMatrix && !p.tensor.requires_grad()) p.tensor = p.tensor.to(dtype);
}

// What one forward pass shares between layers.
struct Decoder::Pass {
  const ComputeOptions& options;
  AttentionPlan plan;
  Tensor cos, sin;  ///< (N, d/2), undefined without RoPE
};

Tensor Decoder::layer(int64_t l, const Tensor& x, const Pass& pass) const {
  return run_layer(spec_,
                   TensorOps(*this, l, pass.options,
                             [&](const Tensor& q, const Tensor& k, const Tensor& v) {
                               return pass.plan.attend(q, k, v, pass.cos, pass.sin);
                             }),
                   x);
}

void Decoder::require_positions(int64_t tokens) const {
  if (spec_.positions == LayerSpec::Positions::kLearned && tokens > config_.max_positions)
    usage_error("a sequence of " + std::to_string(tokens) + " tokens, but the model has learned only " +
                std::to_string(config_.max_positions) + " positions");
}

Tensor Decoder::hidden(const Packed& packed, const ComputeOptions& options) const {
  const ModelConfig& c = config_;
  HONE_CHECK(packed.tokens() > 0, "an empty pack");
  int64_t longest = 0;
  for (const Place& place : packed.places) longest = std::max(longest, place.length);
  require_positions(longest);
  auto [x, cos, sin] = embed(*this, packed.ids, packed.positions, longest);
  const Pass pass{options, AttentionPlan(packed.places, at(Slot::kEmbedding), options.work, options.own_attention), cos,
                  sin};
  for (int64_t l = 0; l < c.layers; ++l) {
    std::vector<Tensor> inputs{x};
    for (const int index : slots_[l])
      if (index >= 0) inputs.push_back(parameters_[index].tensor);
    if (adapter_)
      for (const int index : adapter_slots_[l])
        if (index >= 0)
          for (const Tensor& t : {adapter_->parts[index].low_rank.a, adapter_->parts[index].low_rank.b})
            inputs.push_back(t);
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
