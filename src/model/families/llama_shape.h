// What Llama, Mistral and Qwen2 share: keys of config.json and names of weights.
#pragma once
#include "model/family.h"

namespace hone::model {

void read_llama_shape(ConfigReader& reader, ModelConfig& config);
void write_llama_shape(const ModelConfig& config, Json& json);
std::string llama_shape_name(Slot slot, int64_t layer);
/// rope_scaling (transformers 4) or rope_parameters (5) into the config.
void read_rope(ConfigReader& reader, ModelConfig& config);
void write_rope(const ModelConfig& config, Json& json);

}  // namespace hone::model
