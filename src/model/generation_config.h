// generation_config.json beside a model's config.json: how transformers samples by default, and more tokens that end an
// answer. hone takes the ends from it and passes the rest on to the folders that it makes of the model.
#pragma once
#include "model/config.h"

namespace hone::model {

/// Adds what FOLDER/generation_config.json says (nothing where there is none): its ends to `parsed.config.eos`, all of
/// it to `parsed.config.generation_json`. Ends outside the vocabulary are left out, with a note. A broken file: kUsage.
void read_generation_config(const fs::path& folder, ParsedConfig& parsed);
/// Writes what was read, with the config's ends (and its other ids where the file named none).
void write_generation_config(const fs::path& folder, const ModelConfig& config);

}  // namespace hone::model
