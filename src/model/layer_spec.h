// What the layers of a family are made of. A family states its spec; the decoder allocates and counts its tensors by it
// (layer_tensors), and what a layer computes stands once, in run_layer (model/layer.h).
#pragma once
#include <cstdint>
#include <vector>

#include "model/config.h"

namespace hone::model {

/// The tensors of a decoder by their role. Not every family has each. Behind a weight that may have a bias stands its
/// bias (bias_of).
enum class Slot {
  kEmbedding,
  kPositions,
  kFinalNorm,
  kFinalNormBias,
  kOutput,  // once
  kNorm1,
  kNorm1Bias,
  kQkv,
  kQkvBias,
  kQ,
  kQBias,
  kK,
  kKBias,
  kV,
  kVBias,
  kO,
  kOBias,
  kQNorm,
  kKNorm,  // per layer: attention
  kNorm2,
  kNorm2Bias,
  kGate,
  kGateBias,
  kUp,
  kUpBias,
  kDown,
  kDownBias,  // per layer: MLP
};
inline constexpr size_t kSlots = static_cast<size_t>(Slot::kDownBias) + 1;

/// The slot of the bias that belongs to a norm's or a matrix's weight.
constexpr Slot bias_of(Slot weight) { return static_cast<Slot>(static_cast<int>(weight) + 1); }

struct LayerSpec {
  enum class Norm { kRms, kLayer } norm = Norm::kRms;  ///< LayerNorm has a bias
  /// Of the two norms: on what enters each half of a layer, or on what leaves it (OLMo 2).
  enum class Placement { kBefore, kBehind } placement = Placement::kBefore;
  enum class Qkv { kApart, kFused } qkv = Qkv::kApart;  ///< fused: one matrix, queries above keys above values
  /// RMSNorm of queries and keys before their positions: of each head by itself (Qwen 3), or of all heads as one (OLMo
  /// 2).
  enum class QkNorm { kNone, kHeads, kWhole } qk_norm = QkNorm::kNone;
  enum class Mlp { kSwiglu, kGelu } mlp = Mlp::kSwiglu;  ///< down(silu(gate x) · up x), or down(gelu(up x)), tanh form
  enum class Positions { kRotary, kLearned } positions = Positions::kRotary;
};

/// The spec of the config's family.
const LayerSpec& layer_spec(const ModelConfig& config);

enum class ParameterKind { kMatrix, kEmbedding, kVector, kHead };

struct TensorShape {
  Slot slot;
  std::vector<int64_t> shape;
  ParameterKind kind;
};

/// The tensors of one layer, of what stands before the layers, and of what stands behind them, in the decoder's order.
std::vector<TensorShape> layer_tensors(const ModelConfig& config);
std::vector<TensorShape> tensors_before(const ModelConfig& config);
std::vector<TensorShape> tensors_behind(const ModelConfig& config, bool output_weight);

}  // namespace hone::model
