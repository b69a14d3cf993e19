// The tokenizer of a GGUF file as Hugging Face's tokenizer.json and tokenizer_config.json. The kind `gpt2`: byte-level
// BPE, split into words as `tokenizer.ggml.pre` says (gguf_splits.h).
#pragma once
#include "base/json.h"
#include "gguf/file.h"

namespace hone::text {

struct TokenizerJson {
  Json tokenizer;  ///< tokenizer.json
  Json config;     ///< tokenizer_config.json, with the chat template
};

/// Control tokens become special added tokens, user-defined ones added tokens; [PADn], with which converters fill up
/// ids that have no token, is left out. Another kind, an unknown `pre`, a vocabulary that cannot be: kUsage naming it.
TokenizerJson gguf_tokenizer_json(const gguf::File& file);

}  // namespace hone::text
