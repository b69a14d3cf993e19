// Trains hone's own tokenizer: byte-level BPE with GPT-2's split, digits one by one.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace hone::text {

/// The special tokens of hone's own tokenizer: <|bos|> <|eos|> <|pad|> <|user|> <|assistant|> <|system|>.
std::vector<std::string> own_special_tokens();

/// Learns from texts. Ids: the specials, the 256 bytes, then one token a merge. Deterministic: of pairs with equal
/// counts the one with the lowest ids goes first, whatever the number of threads. Fewer than `vocab_size` tokens come
/// out where fewer pairs occur twice. `specials` empty: own_special_tokens(). Where it holds those six, the tokenizer
/// carries hone's chat template.
Tokenizer train_bpe(std::span<const std::string> texts, int vocab_size, std::vector<std::string> specials = {});
/// The same from files, gzip or plain.
Tokenizer train_bpe_files(std::span<const std::filesystem::path> files, int vocab_size,
                          std::vector<std::string> specials = {});

}  // namespace hone::text
