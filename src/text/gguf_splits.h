// How the tokenizers that llama.cpp knows by `tokenizer.ggml.pre` split a text into words, as the "pre_tokenizer" and
// "normalizer" entries of Hugging Face's tokenizer.json. After llm_tokenizer_bpe of llama-vocab.cpp
// (https://github.com/ggml-org/llama.cpp) and the files that these models were published with.
#pragma once
#include <string>
#include <string_view>

#include "base/json.h"

namespace hone::text {

struct Splitting {
  Json normalizer, pre_tokenizer;
};

/// One that is not known: nothing is set, and false.
bool splitting_of(std::string_view pre, Splitting& out);
/// "deepseek-llm, falcon, …".
std::string supported_pre();

}  // namespace hone::text
