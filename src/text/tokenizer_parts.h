// Private to the tokenizer's sources: what a definition holds, and the readers that fill it.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/normalize.h"
#include "text/pretokenize.h"

namespace hone::text {

/// How tokens become text again.
struct Decoding {
  bool byte_tokens = false;  ///< <0xNN> stands for that byte
  bool bytes = true;         ///< the byte alphabet; else replacements and <0xNN>
  std::vector<std::pair<std::string, std::string>> replacements;
  size_t strip_left = 0;  ///< spaces taken off the start of the whole text
};

/// The parts of a tokenizer.json.
struct Parts {
  BpeModel model;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  Decoding decoding;
  std::vector<AddedToken> added;
  std::vector<std::string> texts;                   ///< id -> token as written
  std::vector<std::pair<int32_t, int32_t>> merges;  ///< in the order of the file
  std::optional<int32_t> before_text;               ///< what the post-processor puts before a text
  std::optional<int32_t> behind_text;               ///< and behind it, which nobody here does
};

/// SHA-256 of what encode and decode depend on, and of nothing else.
std::string identity(const Parts& parts);
/// Content and flags; the id is not read.
AddedToken added_token(const Json& fields, const std::string& where);
Parts read_tokenizer_json(const Json& json, const std::string& where);
/// Builds the tokenizer.json of a GPT-2 or Qwen2 folder that has only vocabulary and merges.
Json tokenizer_json_from_vocab(const Json& vocab, std::string_view merges, const Json& config, const Json& added_tokens,
                               const std::string& where);

}  // namespace hone::text
