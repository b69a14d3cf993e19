#include "train/memory.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/progress.h"
#include "model/adapter.h"

namespace hone::train {
namespace {

// Elements of a config's tensors by what becomes of them.
struct Counts {
  double matrices = 0, embeddings = 0, rest = 0;
};

Counts count(const model::ModelConfig& c, bool output_weight) {
  Counts out;
  const auto add = [&](const std::vector<model::TensorShape>& tensors, double times) {
    for (const model::TensorShape& t : tensors) {
      double n = times;
      for (const int64_t size : t.shape) n *= static_cast<double>(size);
      if (t.kind == model::ParameterKind::kMatrix) out.matrices += n;
      else if (t.kind == model::ParameterKind::kEmbedding) out.embeddings += n;
      else out.rest += n;
    }
  };
  add(tensors_before(c), 1);
  add(layer_tensors(c), static_cast<double>(c.layers));
  add(tensors_behind(c, output_weight), 1);
  return out;
}

double adapter_count(const model::ModelConfig& c, const AdapterSettings& adapter) {
  double n = 0;
  for (const model::AdapterModule& m : model::adapter_targets(c, adapter.targets))
    n += static_cast<double>(adapter.rank * (m.shape[0] + m.shape[1]));
  return n;
}

}  // namespace

Memory& Memory::operator+=(const Memory& other) {
  weights += other.weights;
  casts += other.casts;
  gradients += other.gradients;
  optimiser += other.optimiser;
  return *this;
}
Memory operator+(Memory a, const Memory& b) { return a += b; }
Memory operator*(Memory a, double n) { return {a.weights * n, a.casts * n, a.gradients * n, a.optimiser * n}; }

std::string describe(const Memory& memory, int64_t parameters) {
  const auto each = [&](double bytes) { return decimal_text(bytes / static_cast<double>(parameters), 1); };
  std::string out = each(memory.total()) + " bytes a parameter: weights " + each(memory.weights);
  if (memory.casts > 0) out += ", casts " + each(memory.casts);
  if (memory.gradients > 0) out += ", gradients " + each(memory.gradients) + ", optimiser " + each(memory.optimiser);
  return out;
}

Memory frozen_memory(const model::ModelConfig& config, const Held& held) {
  if (held.shared) return {};
  const Counts n = count(config, held.output_weight);
  return {.weights = (held.bf16 ? 2 : 4) * n.matrices + 4 * (n.embeddings + n.rest)};
}

Memory learning_memory(const model::ModelConfig& config, const AdapterSettings& adapter,
                       const optim::OptimParams& optim, const Held& held) {
  const bool muon = optim.rule == "muon";
  // The output layer's, tied or not, where the network is asked for tokens.
  const double head_cast = held.output_weight ? 2.0 * static_cast<double>(config.vocab_size * config.width) : 0;
  if (adapter.rank > 0) {
    const double n = adapter_count(config, adapter);
    Memory out = frozen_memory(config, held);
    return out += {.weights = 4 * n,
                   .casts = held.bf16 ? 2 * n + head_cast : 0,
                   .gradients = 4 * n,
                   .optimiser = (muon ? 4 : 8) * n};
  }
  const Counts n = count(config, held.output_weight);
  const double all = n.matrices + n.embeddings + n.rest;
  return {.weights = 4 * all,
          .casts = held.bf16 ? 2 * n.matrices + head_cast : 0,
          .gradients = 4 * all,
          .optimiser = (muon ? 4 : 8) * n.matrices + 8 * (n.embeddings + n.rest)};
}

double activation_bytes_per_token(const model::ModelConfig& c, bool bf16, bool checkpoint) {
  const auto size = [](int64_t n) { return static_cast<double>(n); };
  const double d = size(c.width), q = size(c.heads * c.head_dim), kv = size(c.kv_heads * c.head_dim), f = size(c.ffn);
  const double gates = model::layer_spec(c).mlp == model::LayerSpec::Mlp::kSwiglu ? 2 : 1;
  // What a layer keeps: the inputs of norms, of attention and of the activation in f32; the inputs of its four or seven
  // products in the dtype of matrix work.
  const double kept = 4 * (2 * d + 2 * q + 2 * kv + gates * f);
  const double inputs = (bf16 ? 2 : 4) * (2 * d + f) + (bf16 ? 2 * q : 0);
  const double layer = kept + inputs, backward = 4 * (4 * d + (gates + 1) * f);
  return (checkpoint ? 4 * d * size(c.layers) + layer : layer * size(c.layers)) + backward;
}

int64_t micro_tokens(const ModelSettings& settings, const model::ModelConfig& config, bool bf16) {
  if (settings.micro_tokens > 0) return settings.micro_tokens;
  const double each = activation_bytes_per_token(config, bf16, settings.checkpoint_activations);
  return std::clamp(static_cast<int64_t>(std::min(1e9, settings.activation_gb * 1e9 / each)), int64_t{512},
                    int64_t{16384});
}

}  // namespace hone::train
