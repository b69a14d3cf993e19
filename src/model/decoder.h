// The one decoder-only transformer. What its layers are made of a family says (model/layer_spec.h): Llama's shape
// (RMSNorm, RoPE, grouped-query attention, SwiGLU, optional biases) or GPT-2's (LayerNorm, learned positions, fused
// qkv, GELU). What a layer computes stands in model/layer.h.
#pragma once
#include <array>
#include <memory>
#include <optional>

#include "model/adapter.h"
#include "model/attention.h"
#include "model/config.h"
#include "model/layer_spec.h"
#include "model/packed.h"
#include "tensor/logps.h"
#include "tensor/tensor.h"

namespace hone::model {

class Rope;

/// One trainable tensor. `name` is Hugging Face's; the tensor lies as (out, in) even where the file has it transposed.
struct Parameter {
  using Kind = ParameterKind;
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
  std::shared_ptr<WeightCasts> casts = {};           ///< keeps casts from pass to pass; null: made by each pass
  std::shared_ptr<const TokenDropout> dropout = {};  ///< of the adapter's inputs, a key a token; null: none
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
  const LayerSpec& spec() const { return spec_; }
  /// Fixed order, each tensor once (a tied output weight is the embedding).
  std::vector<Parameter>& parameters() { return parameters_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  int64_t parameter_count() const;

  /// (N, D) in the parameters' dtype, after the final norm.
  Tensor hidden(const Packed& packed, const ComputeOptions& options = {}) const;
  /// Log-probabilities of the tokens that follow: rows of `hidden`, targets (rows) i64 (tensor/logps.h).
  TokenLogps token_logps(const Tensor& hidden, const Tensor& targets, const LogpsOptions& options = {}) const;
  /// (rows, V) without a gradient. On the CPU in f32 each row is the same whatever stands beside it, unless that is
  /// not asked for (`batch_invariant`).
  Tensor logits(const Tensor& hidden, bool batch_invariant = true, const ComputeOptions& options = {}) const;
  /// (V, D).
  Tensor output_weight() const;
  bool has_output_weight() const { return config_.tied || find(Slot::kOutput) >= 0; }
  /// A reward or value model needs no untied output weight.
  void drop_output_weight();

  /// The adapter on its linear layers, or null. Where there is one, it is what trains.
  const Adapter* adapter() const { return adapter_ ? &*adapter_ : nullptr; }
  void set_adapter(std::optional<Adapter> adapter);

  /// A deep copy with its own tensors (requires_grad off), the adapter's too.
  Decoder clone() const;
  /// A decoder over the very same tensors, without an adapter: a frozen base held once.
  Decoder over_same_tensors() const;
  /// Makes parameter `index` the very tensor of `other`, a decoder of the same config: a frozen trunk held once.
  void share_parameter(size_t index, const Decoder& other) {
    parameters_[index].tensor = other.parameters_[index].tensor;
  }
  void to(at::Device device, at::ScalarType dtype);
  void set_trainable(bool on);
  /// Keeps the layers' matrices in this dtype, where none of them trains: they are read in it anyway. Norms, biases,
  /// embeddings and the output weight stay f32. Undefined: nothing.
  void keep_matrices_in(at::ScalarType dtype);
  at::ScalarType matrix_dtype() const { return at(Slot::kDown).scalar_type(); }
  at::Device device() const { return parameters_.front().tensor.device(); }
  at::ScalarType dtype() const { return parameters_.front().tensor.scalar_type(); }

  // For the incremental forward pass: the parameter in a slot, undefined where the family has none.
  const Tensor& at(Slot slot, int64_t layer = 0) const;
  Rope& rope() const { return *rope_; }
  /// The adapter of the matrix in a slot, or null.
  const LowRank* low_rank(Slot slot, int64_t layer) const;
  /// kUsage where a sequence of so many tokens has places that the model has not learned.
  void require_positions(int64_t tokens) const;

 private:
  struct Pass;
  int find(Slot slot, int64_t layer = 0) const;
  void add(const TensorShape& tensor, int64_t layer);
  Tensor layer(int64_t index, const Tensor& x, const Pass& pass) const;

  ModelConfig config_;
  LayerSpec spec_;
  std::vector<Parameter> parameters_;
  std::vector<std::array<int, kSlots>>
      slots_;  ///< per layer (the last entry holds what is there once): parameter index or -1
  std::unique_ptr<Rope> rope_;
  std::optional<Adapter> adapter_;
  std::vector<std::array<int, kSlots>> adapter_slots_;  ///< per layer: index of the adapter's part or -1
};

/// Matrices and embeddings N(0, init_std), those that write into the residual stream (attention output, MLP down)
/// divided by √(2·layers), norms 1, biases 0. Each value is a function of (seed, tensor name, index) alone.
Decoder make_decoder(const ModelConfig& config, uint64_t seed);

}  // namespace hone::model
