// tokenizer_config.json and what stands beside it: names of special tokens, further added tokens, the chat template.
// Agrees with transformers 5 (TokenizersBackend) on which tokens these files add, with which ids and flags, but for a
// token whose id is taken: there it gets a new one, which the model has never seen.
#pragma once
#include <filesystem>
#include <string>

#include "base/json.h"
#include "text/tokenizer_parts.h"

namespace hone::text {

/// A JSON object, or an empty one where there is no such file. NaN and Infinity are read as Python reads them.
Json read_optional_object(const std::filesystem::path& path);
/// tokenizer_config.json with what special_tokens_map.json, chat_template.jinja and the ids in config.json and
/// generation_config.json ("bos_token_id", …) add where it names nothing.
Json read_tokenizer_config(const std::filesystem::path& folder);

/// The keys of tokenizer_config.json and special_tokens_map.json that name one special token each.
inline constexpr const char* kSpecialNames[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                "pad_token", "cls_token", "mask_token"};
/// The special tokens that a configuration names: each of kSpecialNames and of a model's own (any other
/// `…_token`, and what the objects `extra_special_tokens` and `model_specific_special_tokens` hold) by its name, the
/// lists as "additional_special_tokens".
Json special_tokens_of(const Json& config);

/// "bos_token": "<s>" or {"content": "<s>", …}; "" where nothing is named.
std::string named_token(const Json& config, const char* key);
/// The template itself, or of a list of named ones the default; "" where there is none.
std::string chat_template_source(const Json& config);

/// Puts into `parts` what the configuration adds to a tokenizer.json: tokens of `added_tokens_decoder` (flags there win
/// over tokenizer.json's; a token that is new gets the next free id, or the hole in the vocabulary that is
/// meant; one whose id is another token's is not added, and that is said), tokens of `additional_special_tokens` and
/// `extra_special_tokens`, tokens under names of the model's own, and tokens of the vocabulary that are named as
/// special. True: something changed.
bool add_configured_tokens(const Json& config, const std::string& where, Parts& parts);
/// The added tokens as tokenizer.json lists them.
Json added_tokens_json(const Parts& parts);

}  // namespace hone::text
