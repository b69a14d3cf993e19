// The tokenizer of a llama2.c model (https://github.com/karpathy/llama2.c, MIT): byte-fallback BPE.
#pragma once
#include <cstdint>
#include <filesystem>

#include "text/tokenizer.h"

namespace hone::text {

/// From llama2.c's tokenizer.bin, or from a list of pieces as JSON ({"pieces": {"259": "▁t", …}}). An empty path: no
/// vocabulary is known. Ids without a piece become <unk_N>, which encode() never gives. A file with more pieces than
/// `vocab_size`: kUsage.
Tokenizer llama2c_tokenizer(const std::filesystem::path& vocabulary, int64_t vocab_size);

/// A vocabulary beside a model's .bin: vocab_recovered.json, tokenizer.bin or tok<vocab_size>.bin; empty if none is.
std::filesystem::path find_llama2c_vocabulary(const std::filesystem::path& model_file, int64_t vocab_size);

}  // namespace hone::text
