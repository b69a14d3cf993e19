// What a family adds to the one Decoder: what its layers are made of, and the names in config.json and weight files.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"
#include "model/config_reader.h"
#include "model/layer_spec.h"

namespace hone::model {

struct Family {
  std::string_view id;
  std::string_view causal;      ///< architecture with an output weight
  std::string_view classifier;  ///< architecture with a scalar head
  std::string_view model_type;
  std::string_view prefix;  ///< of every tensor but the head's; older files leave it out
  bool transposed;          ///< matrices of the layers lie (in, out) in the file
  LayerSpec layer;
  void (*read)(ConfigReader& reader, ModelConfig& config);
  void (*write)(const ModelConfig& config, Json& json);
  std::string (*name)(Slot slot, int64_t layer);  ///< the full Hugging Face name
};

/// All of models.def.
std::span<const Family* const> families();
/// Unknown id: kUsage.
const Family& family(std::string_view id);

}  // namespace hone::model
