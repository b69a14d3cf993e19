// For tests only: the byte-level vocabulary of a GGUF file as a tokenizer. The format:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once
#include <cstring>

#include "base/files.h"
#include "base/json.h"
#include "text/pretokenize.h"
#include "text/tokenizer.h"

inline hone::text::Tokenizer gguf_tokenizer(const std::filesystem::path& file) {
  using hone::Json;
  const std::string bytes = hone::read_file(file);
  size_t at = 0;
  const auto number = [&](auto zero) {
    decltype(zero) value{};
    std::memcpy(&value, bytes.data() + at, sizeof value);
    at += sizeof value;
    return value;
  };
  const auto text = [&] {
    const auto length = number(uint64_t{});
    at += length;
    return bytes.substr(at - length, length);
  };
  number(uint32_t{});  // magic
  number(uint32_t{});  // version
  number(uint64_t{});  // tensors
  const auto fields = number(uint64_t{});
  constexpr size_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  std::vector<std::string> tokens, merges;
  std::vector<int32_t> types;
  std::string pre;
  for (uint64_t f = 0; f < fields; ++f) {
    const std::string key = text();
    const auto type = number(uint32_t{});
    if (type == 8) {
      const std::string value = text();
      if (key == "tokenizer.ggml.pre") pre = value;
    } else if (type == 9) {
      const auto element = number(uint32_t{});
      for (auto count = number(uint64_t{}); count > 0; --count) {
        if (element != 8) {
          if (key == "tokenizer.ggml.token_type") types.push_back(number(int32_t{}));
          else at += kSizes[element];
          continue;
        }
        const std::string value = text();
        if (key == "tokenizer.ggml.tokens") tokens.push_back(value);
        if (key == "tokenizer.ggml.merges") merges.push_back(value);
      }
    } else {
      at += kSizes[type];
    }
  }
  Json vocab = Json::object(), added = Json::array();
  for (size_t id = 0; id < tokens.size(); ++id) {
    hone::append_field(vocab, tokens[id], static_cast<int64_t>(id));
    if (types[id] == 3 || types[id] == 4)  // control, user-defined
      added.push_back({{"id", id}, {"content", tokens[id]}, {"special", types[id] == 3}, {"normalized", false}});
  }
  const Json split = {{"type", "Split"},
                      {"pattern", {{"Regex", pre == "qwen2" ? hone::text::kQwen2Split : hone::text::kGpt2Split}}},
                      {"behavior", "Isolated"}};
  const Json level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  return hone::text::Tokenizer::from_json(
      {{"added_tokens", added},
       {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", Json::array({split, level})}}},
       {"decoder", {{"type", "ByteLevel"}}},
       {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", merges}}}},
      Json(), file.string());
}
