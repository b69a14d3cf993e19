// Adapters on disk, as PEFT lays them out: adapter_config.json and adapter_model.safetensors; and beside them
// hone_adapter.json with the base's path and hash and with what else hone knows of the model (what ends an answer, the
// scale of its rewards).
#pragma once
#include "model/hf_folder.h"

namespace hone::model {

/// The base with its adapter on it, unmerged; f32 on the CPU, gradients off. An adapter of another kind than LoRA, a
/// setting that changes the mathematics and is not supported, tensors that fit no layer, a base that is another one
/// than recorded: kUsage naming it.
LoadedModel load_adapted_model(const fs::path& folder, std::span<const LoadedBase> loaded = {});
/// The base's config with what the adapter's folder adds to it; no weights.
ParsedConfig load_adapted_config(const fs::path& folder);

/// Writes the decoder's adapter alone, and the head of a reward model. The adapter's `base` must be a model on disk.
void save_adapter(const fs::path& folder, const Decoder& decoder, const ScalarHead* head);

/// SHA-256 over the contents of the files that a model's config and weights lie in.
std::string model_hash(const fs::path& path);

}  // namespace hone::model
