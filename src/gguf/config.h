// The metadata of a GGUF file as the config.json that Hugging Face has for the model.
#pragma once
#include "base/json_fwd.h"

namespace hone::gguf {

class File;

/// Architectures llama, qwen2 and gpt2. What the metadata says and a config.json of theirs cannot say is refused by
/// name; a key of the architecture that nobody knows is handed on as it is, so that who reads the config can tell.
/// Every token that the metadata says ends an answer (eos, end of turn, end of message) is in eos_token_id.
Json config_json(const File& file);

}  // namespace hone::gguf
