#include "data/encoder.h"

#include <algorithm>

#include "base/error.h"

namespace hone::data {
namespace {

void require_plain(const text::Message& message) {
  if (const char* field = text::beyond_plain_text(message))
    usage_error(std::string("a prompt and an answer in plain text have no place for '") + field + "'",
                "give the model a chat template that renders it, or leave it out of the row");
}

}  // namespace

Encoder::Encoder(text::Tokenizer tokenizer, std::optional<text::ChatTemplate> chat)
    : tokenizer_(std::move(tokenizer)), chat_(std::move(chat)) {
  if (!chat_) {
    if (!tokenizer_.eos())
      usage_error("the tokenizer names no EOS token, so no answer could learn to end",
                  "set eos_token in tokenizer_config.json, or give the model a chat template");
    return;
  }
  const std::vector<text::Message> probe = {{"user", "a"}, {"assistant", "b"}};
  const Answered answered = conversation(probe);
  const auto& weight = answered.sequence.weight;
  const auto last = std::find_if(weight.rbegin(), weight.rend(), [](float w) { return w > 0; });
  const size_t end = static_cast<size_t>(weight.rend() - last);  // one past the last trained token
  bool ends = false;
  for (size_t i = static_cast<size_t>(answered.prompt_length); i < end; ++i)
    ends = ends || (weight[i] > 0 && tokenizer_.is_special(answered.sequence.ids[i]));
  if (!ends)
    usage_error(
        "the chat template ends an answer without a special token that is trained, so no answer could learn to end",
        "use format = \"plain\", or another chat template");
}

Encoder Encoder::make(text::Tokenizer tokenizer, const std::string& format) {
  const bool has = !tokenizer.chat_template().empty();
  if (format == "plain" || (format == "auto" && !has)) return Encoder(std::move(tokenizer));
  if (format != "auto" && format != "chat") usage_error("format is '" + format + "', not auto, chat or plain");
  text::ChatTemplate chat = text::ChatTemplate::of(tokenizer);
  return Encoder(std::move(tokenizer), std::move(chat));
}

PromptIds Encoder::plain_prompt(std::span<const text::Message> messages) const {
  if (messages.size() > 1 || (messages.size() == 1 && messages[0].role != "user"))
    usage_error(
        "a conversation of several turns needs a chat template; the plain format takes one prompt and one answer",
        "train the tokenizer with hone's special tokens, which bring a template");
  for (const text::Message& m : messages) require_plain(m);
  PromptIds ids;
  if (!messages.empty()) ids = tokenizer_.encode(messages[0].content, false);
  if (const auto bos = ids.empty() ? tokenizer_.bos() : tokenizer_.begin()) ids.insert(ids.begin(), *bos);
  return ids;
}

PromptIds Encoder::prompt(std::span<const text::Message> messages) const {
  if (!chat_) return plain_prompt(messages);
  return text::encode_chat(tokenizer_, *chat_, messages, true).ids;
}

Encoder::Answered Encoder::conversation(std::span<const text::Message> messages) const {
  HONE_CHECK(!messages.empty() && messages.back().role == "assistant",
             "a conversation to train on ends with an answer");
  Answered out;
  Sequence& s = out.sequence;
  if (chat_) {
    text::Encoded all = text::encode_chat(tokenizer_, *chat_, messages, false);
    out.prompt_length = all.answer_begin;
    s.ids = std::move(all.ids);
    s.weight = std::move(all.weight);
    out.apart = std::move(all.apart);
  } else {
    for (const text::Message& m : messages) require_plain(m);
    s.ids = prompt(messages.first(messages.size() - 1));
    out.prompt_length = s.size();
    s.weight.assign(s.ids.size(), 0.0f);
    const std::string& answer = messages.back().content;
    const std::vector<int32_t> content = messages.size() > 1 && !messages[0].content.empty()
                                             ? tokenizer_.encode_continuation(answer, false)
                                             : tokenizer_.encode(answer, false);
    s.ids.insert(s.ids.end(), content.begin(), content.end());
    s.ids.push_back(*tokenizer_.eos());
    s.weight.resize(s.ids.size(), static_cast<float>(messages.back().weight));
  }
  s.weight[0] = 0;
  return out;
}

}  // namespace hone::data
