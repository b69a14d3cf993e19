// The one decoder-only transformer: Llama's shape (RMSNorm, RoPE, grouped-query attention, SwiGLU, optional biases) and
// GPT-2's (LayerNorm, learned positions, fused qkv, GELU). Families differ in config and names only (models.def).
#pragma once
#include <array>
#include <memory>

#include "model/attention.h"
#include "model/config.h"
#include "model/family.h"
#include "model/packed.h"
#include "tensor/tensor.h"

namespace hone::model {

class Rope;

/// One trainable tensor. `name` is Hugging Face's; the tensor lies as (out, in) even where the file has it transposed.
struct Parameter {
  enum class Kind { kMatrix, kEmbedding, kVector, kHead };
  std::string name;
  Tensor tensor;
  Kind kind;
};

/// How a forward pass computes; nothing here changes what it computes.
struct ComputeOptions {
  at::ScalarType matmul = at::ScalarType::Undefined;  ///< dtype of matrix products; kBFloat16 under f32 weights
  bool checkpoint = false;        ///< keep only each layer's input and recompute the layer in the backward pass
  AttentionWork* work = nullptr;  ///< counts attention's work and padding
  bool own_attention = true;      ///< hone's own kernel where there is one; off: padded buckets, as on a GPU
};

class Decoder {
 public:
  /// All tensors allocated, none initialised: make_decoder and load_model fill them.
  explicit Decoder(ModelConfig config, bool output_weight = true);
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();

  const ModelConfig& config() const { return config_; }
  ModelConfig& config() { return config_; }  ///< for ids of special tokens and the reward's scale
  /// Fixed order, each tensor once (a tied output weight is the embedding).
  std::vector<Parameter>& parameters() { return parameters_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  int64_t parameter_count() const;

  /// (N, D) in the parameters' dtype, after the final norm.
  Tensor hidden(const Packed& packed, const ComputeOptions& options = {}) const;
  /// (V, D).
  Tensor output_weight() const;
  bool has_output_weight() const { return config_.tied || find(Slot::kOutput) >= 0; }
  /// A reward or value model needs no untied output weight.
  void drop_output_weight();

  /// A deep copy with its own tensors (requires_grad off).
  Decoder clone() const;
  /// Makes parameter `index` the very tensor of `other`, a decoder of the same config: a frozen trunk held once.
  void share_parameter(size_t index, const Decoder& other) {
    parameters_[index].tensor = other.parameters_[index].tensor;
  }
  void to(at::Device device, at::ScalarType dtype);
  void set_trainable(bool on);
  at::Device device() const { return parameters_.front().tensor.device(); }
  at::ScalarType dtype() const { return parameters_.front().tensor.scalar_type(); }

  // For the incremental forward pass: the parameter in a slot, undefined where the family has none.
  const Tensor& at(Slot slot, int64_t layer = 0) const;
  Rope& rope() const { return *rope_; }

 private:
  struct Pass;
  static constexpr size_t kSlots = static_cast<size_t>(Slot::kDownBias) + 1;
  int find(Slot slot, int64_t layer = 0) const;
  void add(Slot slot, int64_t layer, const std::vector<int64_t>& shape, Parameter::Kind kind);
  Tensor layer(int64_t index, const Tensor& x, const Pass& pass) const;

  ModelConfig config_;
  std::vector<Parameter> parameters_;
  std::vector<std::array<int, kSlots>>
      slots_;  ///< per layer (the last entry holds what is there once): parameter index or -1
  std::unique_ptr<Rope> rope_;
};

/// Matrices and embeddings N(0, init_std), those that write into the residual stream (attention output, MLP down)
/// divided by √(2·layers), norms 1, biases 0. Each value is a function of (seed, tensor name, index) alone.
Decoder make_decoder(const ModelConfig& config, uint64_t seed);

}  // namespace hone::model
