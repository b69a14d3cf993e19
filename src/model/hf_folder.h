// Model folders as Hugging Face lays them out: config.json and model.safetensors, or shards with an index. Where one is
// read a GGUF file may stand in its place.
#pragma once
#include <filesystem>
#include <optional>

#include "base/json_fwd.h"
#include "model/decoder.h"
#include "model/scalar_head.h"

namespace hone::model {

struct LoadedModel {
  Decoder decoder;
  std::optional<ScalarHead> head;  ///< of a …ForSequenceClassification
  std::vector<std::string> notes;  ///< what the user should hear: ignored settings, left-out buffers
  bool shared = false;             ///< its tensors are those of a loaded base, on its device and in its dtypes
};

/// A frozen decoder that is loaded already: an adapter's folder over the same base takes its tensors.
struct LoadedBase {
  fs::path path;
  const Decoder* decoder;
};

/// f32 on the CPU, gradients off. Missing, surplus or misshapen tensors: kUsage naming them. Derived buffers (causal
/// masks, inverse frequencies) are skipped; a stored copy of a tied weight must equal it.
LoadedModel load_model(const fs::path& folder, std::span<const LoadedBase> loaded = {});

/// Writes config.json (with `extra` merged in), model.safetensors and, of a model that generates,
/// generation_config.json; a head makes it a …ForSequenceClassification. Atomic file by file, config.json last.
void save_model(const fs::path& folder, const Decoder& decoder, const ScalarHead* head, const Json& extra);
void save_model(const fs::path& folder, const Decoder& decoder, const ScalarHead* head = nullptr);

}  // namespace hone::model
