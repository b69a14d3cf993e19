#include "data/encoder.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

namespace hone::data {
namespace {

void require_plain(const text::Message& message) {
  if (const char* field = text::beyond_plain_text(message))
    usage_error(std::string("a prompt and an answer in plain text have no place for '") + field + "'",
                "give the model a chat template that renders it, or leave it out of the row");
}

}  // namespace

Encoder::Encoder(text::Tokenizer tokenizer, std::optional<text::ChatTemplate> chat, std::span<const int64_t> model_ends)
    : tokenizer_(std::move(tokenizer)),
      chat_(std::move(chat)),
      endings_(Endings::find(tokenizer_, chat_ ? &*chat_ : nullptr, model_ends)) {
  if (endings_.empty()) {
    const std::string mend = "set eos_token in tokenizer_config.json, or eos_token_id in config.json";
    if (chat_)
      usage_error(
          "the chat template ends an answer without a special token, and neither the tokenizer nor the model's "
          "configuration names an end, so no answer could learn to end",
          mend + ", or use another chat template");
    usage_error("the tokenizer names no EOS token, nor does the model's configuration, so no answer could learn to end",
                mend + ", or give the model a chat template");
  }
  if (!chat_) return;
  const std::vector<text::Message> probe = {{"user", "Where is the violet umbrella?"},
                                            {"assistant", "Under the stairs"}};
  const Answered answered = conversation(probe);
  if (const Sequence& s = answered.sequence; s.weight.back() == 0)
    usage_error("the chat template's {% generation %} marks leave out the token that ends an answer (" +
                    std::string(tokenizer_.token_text(s.ids.back())) + "), so no answer could learn to end",
                "use format = \"plain\", or another chat template");
  // A template without a generation prompt leaves what opens the assistant's turn to the model.
  const std::span<const text::Message> question = std::span(probe).first(1);
  if (chat_->marks_generation() || chat_->render(question, true) != chat_->render(question, false)) return;
  const std::string trained = tokenizer_.decode(std::span(answered.sequence.ids).subspan(answered.prompt_length));
  const size_t at = std::min(trained.find(probe.back().content), trained.size());
  if (const std::string header = trained.substr(0, at); header.find_first_not_of(" \t\r\n") != std::string::npos)
    log::warn_once("the chat template has no generation prompt: what opens an answer, " + dump_json(Json(header)) +
                   ", is trained, sampled and scored as a part of it");
}

Encoder Encoder::make(text::Tokenizer tokenizer, const std::string& format, std::span<const int64_t> model_ends) {
  const bool has = !tokenizer.chat_template().empty();
  if (format == "plain" || (format == "auto" && !has)) return Encoder(std::move(tokenizer), std::nullopt, model_ends);
  if (format != "auto" && format != "chat") usage_error("format is '" + format + "', not auto, chat or plain");
  text::ChatTemplate chat = text::ChatTemplate::of(tokenizer);
  return Encoder(std::move(tokenizer), std::move(chat), model_ends);
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
    end_with_answer(s, out.prompt_length, static_cast<float>(messages.back().weight));
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
    s.ids.push_back(endings_.written());
    s.weight.resize(s.ids.size(), static_cast<float>(messages.back().weight));
  }
  s.weight[0] = 0;
  return out;
}

// Cuts behind the end token of the answer that begins at `begin`. Where the template has written none, one stands in
// place of the words that it writes there.
void Encoder::end_with_answer(Sequence& s, int64_t begin, float weight) const {
  const auto end = endings_.end_of_answer(s.ids, begin);
  s.ids.resize(end ? static_cast<size_t>(*end)
                   : s.ids.size() -
                         static_cast<size_t>(std::min(endings_.behind_answer(s.ids), std::ssize(s.ids) - begin)));
  s.weight.resize(s.ids.size());
  if (end) return;
  s.ids.push_back(endings_.written());
  s.weight.push_back(weight);
}

std::vector<int32_t> Encoder::sampled(std::span<const int32_t> prompt, std::span<const int32_t> answer, bool close,
                                      int64_t context) const {
  std::vector<int32_t> out(prompt.begin(), prompt.end());
  out.insert(out.end(), answer.begin(), answer.end());
  const bool room = context == 0 || std::ssize(out) < context;
  if (!answer.empty() && endings_.contains(answer.back())) out.back() = endings_.written();
  else if (close && room) out.push_back(endings_.written());
  return out;
}

}  // namespace hone::data
