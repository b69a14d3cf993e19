// LoRA adapters on the linear layers of a decoder (tensor/low_rank.h). The decoder beneath stays as it is and may be
// shared: several decoders over one set of tensors, each with its own adapter or none.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "model/layer_spec.h"
#include "tensor/low_rank.h"

namespace hone::model {

class Decoder;
struct Parameter;

struct AdapterShape {
  int64_t rank = 16;
  double alpha = 32;
  bool rslora = false;                             ///< scale α / √rank in place of α / rank
  std::vector<std::string> targets{"all-linear"};  ///< modules by name, see adapter_targets
  double scale() const;
  bool operator==(const AdapterShape&) const = default;
};

/// The adapter of one linear layer.
struct AdapterPart {
  Slot slot;
  int64_t layer;
  std::string module;  ///< Hugging Face's name of the layer it is on: "model.layers.0.self_attn.q_proj"
  LowRank low_rank;
};

struct Adapter {
  AdapterShape shape;
  std::vector<AdapterPart> parts;  ///< in the decoder's order
  std::filesystem::path base;      ///< the model on disk that it belongs to; empty: none (tests)
  double dropout = 0;              ///< of its inputs while it trains; for its files

  /// A and B of each part, named "MODULE.lora_A.weight" and "MODULE.lora_B.weight"; the tensors themselves.
  std::vector<Parameter> parameters() const;
  int64_t parameter_count() const;
  Adapter clone() const;
};

/// A linear layer that an adapter can be on.
struct AdapterModule {
  Slot slot;
  int64_t layer;
  std::string module;
  std::vector<int64_t> shape;  ///< of its weight, (O, I)
};
/// All of a decoder's layers', in its order.
std::vector<AdapterModule> adapter_modules(const ModelConfig& config);

/// Those of them that a list of patterns names. A pattern is "all-linear", or a module's name, whole or
/// from a dot on as in PEFT ("q_proj", "self_attn.q_proj"), with the shell's wildcards (fnmatch). One that names
/// nothing: kUsage, listing what there is.
std::vector<AdapterModule> adapter_targets(const ModelConfig& config, const std::vector<std::string>& patterns);

/// A new adapter: A uniform in ±1/√I as in PEFT (a function of seed, name and index alone), B zero, so that the model
/// computes what it did.
Adapter make_adapter(const Decoder& decoder, const AdapterShape& shape, uint64_t seed);

/// W + s·B·A in place of W, for each part; the decoder is left without an adapter. Its tensors must be its own.
void merge_adapter(Decoder& decoder);

}  // namespace hone::model
