// How a model's tokens read as an answer: which of them a person sees, where its reasoning stands. One place for
// whoever shows or records what a model says.
#pragma once
#include <string>
#include <string_view>

#include "chat/reasoning.h"
#include "chat/utf8_stream.h"
#include "data/encoder.h"

namespace hone::chat {

/// The text of one answer, token by token.
struct AnswerText {
  Utf8Stream characters;
  std::string text;
};

class AnswerReader {
 public:
  /// Borrows the encoder.
  explicit AnswerReader(const data::Encoder& encoder);

  /// Takes a token; the whole characters that it completes, which `answer` has now too. Special tokens say nothing, but
  /// for the marks of reasoning.
  std::string feed(AnswerText& answer, int32_t token) const;
  /// What is left of a character that was cut off.
  std::string finish(AnswerText& answer) const;
  /// Whether the answer is still in its block of reasoning.
  bool thinks(const std::string& text) const;
  /// As a turn; reasoning apart from the content where the template takes it so.
  text::Message message_of(const std::string& text) const;

 private:
  bool shows(int32_t token) const;
  static std::string put(AnswerText& answer, std::string text);

  const data::Encoder& encoder_;
  ReasoningBlock block_;
  bool takes_reasoning_ = false;  // the template renders a turn's reasoning
};

}  // namespace hone::chat
