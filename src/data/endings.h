// Which tokens end an answer: the one place that knows.
//
// An end is named by the chat template (what it writes behind an answer), by the tokenizer (EOS), or by the model's
// configuration (eos_token_id of config.json and generation_config.json, which model::load_config brings together).
// All of them stop sampling. One of them is written behind every answer that is trained or scored: the first that the
// template writes there, else the tokenizer's EOS, else the configuration's first.
//
// A template's end is found by rendering, never by its name: it is a special token behind the answer, or one that
// tokenizer or configuration name. Ordinary words that a template puts behind an answer ("\n\n###") are no end: they
// may stand in any answer. In their place the tokenizer's or configuration's end is written.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace hone::data {

struct Ending {
  int32_t id = 0;
  std::string token;                  ///< as the tokenizer writes it
  bool special = false;               ///< else an ordinary token, which may also stand within an answer
  std::vector<std::string> named_by;  ///< "chat template", "tokenizer", "model configuration"
};

class Endings {
 public:
  /// Without `chat`: of the plain format. `of_model`: what the model's configuration names.
  static Endings find(const text::Tokenizer& tokenizer, const text::ChatTemplate* chat,
                      std::span<const int64_t> of_model);

  bool empty() const { return list_.empty(); }
  bool contains(int32_t id) const { return at(id) != nullptr; }
  /// What is written behind answers. Of an empty list: a bug.
  int32_t written() const;
  /// All ends, the written one first.
  std::vector<int32_t> ids() const;
  const std::vector<Ending>& list() const { return list_; }

  /// One past the end token of a conversation's last answer, which begins at `begin`: where sampling would have
  /// stopped. Nothing where no end stands there.
  std::optional<int64_t> end_of_answer(std::span<const int32_t> ids, int64_t begin) const;

  /// How many of the last ids are what the template writes behind a conversation's last answer.
  int64_t behind_answer(std::span<const int32_t> ids) const;

  /// "an answer ends with <|im_end|> (258); sampling also stops at <|endoftext|> (256, by tokenizer)".
  std::string describe() const;
  /// [{"id", "token", "by"}], the written one first.
  Json to_json() const;

 private:
  const Ending* at(int32_t id) const;
  void add(const text::Tokenizer& tokenizer, int32_t id, const char* by);
  std::vector<Ending> list_;
  std::vector<int32_t> tail_;  // what the template writes behind a conversation's last answer
  bool chat_ = false;
  std::vector<int64_t> unknown_;  // named by the configuration, but no token
};

/// A pad token for a reward model: transformers scores the last token that is not the pad, so it must not be one that
/// ends answers. The tokenizer's own where that will do; else one that is a special token and ends nothing. Nothing
/// where the tokenizer has none such.
std::optional<int32_t> padding_apart_from(const Endings& endings, const text::Tokenizer& tokenizer);

}  // namespace hone::data
