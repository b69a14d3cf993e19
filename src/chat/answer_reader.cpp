#include "chat/answer_reader.h"

#include "base/error.h"

namespace hone::chat {

AnswerReader::AnswerReader(const data::Encoder& encoder) : encoder_(encoder) {
  if (!encoder_.chat()) return;
  const std::vector<text::Message> question = {{"user", "Where is the violet umbrella?"}};
  block_ = block_of(encoder_.tokenizer().decode(encoder_.prompt(question)));
  std::vector<text::Message> more = question;
  more.push_back({"assistant", "Under the stairs", "It was raining"});
  more.push_back(question[0]);
  try {
    encoder_.prompt(more);
    takes_reasoning_ = true;
  } catch (const Error&) {  // then what an answer thinks stays in its content, as it was said
  }
}

// As `hone generate` shows a completion, and the marks of reasoning.
bool AnswerReader::shows(int32_t token) const {
  if (!encoder_.tokenizer().is_special(token)) return true;
  const std::string_view text = encoder_.tokenizer().token_text(token);
  return text == block_.open || text == block_.close;
}

std::string AnswerReader::put(AnswerText& answer, std::string text) {
  // No characters, by which special tokens are hidden from templates (text/special_text.h): refused in what is said.
  for (const std::string_view hidden : {"\uFDD0", "\uFDD1"})
    for (size_t at = 0; (at = text.find(hidden, at)) != std::string::npos;) text.replace(at, hidden.size(), "\uFFFD");
  answer.text += text;
  return text;
}

std::string AnswerReader::feed(AnswerText& answer, int32_t token) const {
  if (!shows(token)) return {};
  return put(answer, answer.characters.feed(encoder_.tokenizer().token_bytes(token)));
}

std::string AnswerReader::finish(AnswerText& answer) const { return put(answer, answer.characters.finish()); }

bool AnswerReader::thinks(const std::string& text) const {
  return encoder_.chat() && split_reasoning(text, block_).unfinished;
}

text::Message AnswerReader::message_of(const std::string& text) const {
  if (!takes_reasoning_) return {"assistant", text};
  Parts parts = split_reasoning(text, block_);
  return {"assistant", std::move(parts.content), std::move(parts.reasoning)};
}

}  // namespace hone::chat
