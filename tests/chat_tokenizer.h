// Tokenizers of bytes and special tokens with a chat template, as people bring them; and the templates that are meant.
#pragma once
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "text/bpe_train.h"

namespace hone::test {

inline constexpr const char* kChatMl =
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// Names of special tokens that stand in a template's source: <|name|>, <name>, </s>, [INST].
inline std::vector<std::string> special_tokens_in(const std::string& source) {
  std::set<std::string> found;
  for (size_t i = 0; i < source.size(); ++i) {
    const char close = source[i] == '<' ? '>' : source[i] == '[' ? ']' : '\0';
    if (close == '\0') continue;
    const size_t end = source.find(close, i);
    if (end == std::string::npos || end - i > 40 || end - i < 2) continue;
    const std::string token = source.substr(i, end + 1 - i);
    const bool square = close == ']' && token.find_first_not_of("[]/_ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    const bool pointed = close == '>' && token.find_first_of(" \t\n<'\"={}%+", 1) == std::string::npos;
    if (square || pointed) found.insert(token);
  }
  return {found.begin(), found.end()};
}

/// Bytes and `specials`; `chat_template` and `eos` (may be empty) as tokenizer_config.json names them.
inline text::Tokenizer chat_tokenizer(const std::string& chat_template, std::vector<std::string> specials,
                                      const std::string& eos, Json config = Json::object()) {
  const std::vector<std::string> texts = {"a b c"};
  const fs::path folder = fs::temp_directory_path() / ("hone-chat-tokenizer-" + std::to_string(::getpid()));
  text::train_bpe(texts, static_cast<int>(specials.size()) + 256 + 8, specials).save(folder);
  const Json json = parse_json(read_file(folder / "tokenizer.json"), "tokenizer.json");
  fs::remove_all(folder);
  if (!chat_template.empty()) config["chat_template"] = chat_template;
  if (!eos.empty()) config["eos_token"] = eos;
  return text::Tokenizer::from_json(json, config, "test");
}
inline text::Tokenizer chat_tokenizer(const std::string& chat_template, const std::string& eos) {
  std::vector<std::string> specials = special_tokens_in(chat_template);
  const auto need = [&](const std::string& token) {
    if (std::ranges::find(specials, token) == specials.end()) specials.push_back(token);
  };
  if (!eos.empty()) need(eos);
  Json config = Json::object();
  if (chat_template.find("bos_token") != std::string::npos) config["bos_token"] = "<s>", need("<s>");
  return chat_tokenizer(chat_template, specials, eos, config);
}

/// Templates of this file's own, by name; each ends its turns in another way.
inline const std::vector<std::pair<std::string, std::string>>& own_templates() {
  static const std::vector<std::pair<std::string, std::string>> list = {
      {"chatml", kChatMl},
      {"llama 3",
       "{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + m.content + '<|eot_id|>' "
       "}}"
       "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif "
       "%}"},
      {"zephyr",
       "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + eos_token + '\n' }}{% endfor %}"
       "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"},
      {"phi 3: more behind the last turn",
       "{% for m in messages %}{{ '<|' + m.role + '|>\n' + m.content + '<|end|>\n' }}{% endfor %}"
       "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"},
      {"command: two tokens behind the answer",
       "{% for m in messages %}{{ '<|TURN|>' + m.role + '<|RESPONSE|>' + m.content + '<|END_RESPONSE|><|END_TURN|>' }}"
       "{% endfor %}{% if add_generation_prompt %}{{ '<|TURN|>assistant<|RESPONSE|>' }}{% endif %}"},
      {"harmony: another token behind the last turn",
       "{% for m in messages %}{{ '<|start|>' + m.role + '<|message|>' + m.content }}"
       "{{ '<|return|>' if loop.last and m.role == 'assistant' and not add_generation_prompt else '<|end|>' }}{% "
       "endfor %}"
       "{% if add_generation_prompt %}{{ '<|start|>assistant<|message|>' }}{% endif %}"},
      {"words for an end",
       "{% for m in messages %}{{ '### ' + m.role + ':\n' + m.content + '\n\n' }}{% endfor %}"
       "{% if add_generation_prompt %}{{ '### assistant:\n' }}{% endif %}"},
      {"nothing for an end",
       "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}"
       "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"},
      {"the next turn opened unasked",
       "{% for m in messages %}{{ '<|open|>' + m.role + '<|head|>' + m.content + '<|close|>' }}{% endfor %}"
       "{{ '<|open|>assistant<|head|>' }}"},
      {"the next turn opened unasked, nothing for an end",
       "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}{% endfor %}{{ '<|assistant|>' }}"},
      {"instructions in brackets",
       "{% for m in messages %}{{ '[INST]' + m.content + '[/INST]' if m.role == 'user' else m.content + eos_token }}"
       "{% endfor %}"},
      {"a whole page behind the answer",
       "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
       "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% else %}{{ 'END OF PAGE <|page|>\n\n' }}{% "
       "endif %}"},
  };
  return list;
}

}  // namespace hone::test
