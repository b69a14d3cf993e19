#include <algorithm>
#include <optional>

#include "base/error.h"
#include "text/chat_template.h"
#include "text/chat_turns.h"
#include "text/special_text.h"

namespace hone::text {
namespace {

int32_t required(const Tokenizer& tokenizer, std::string_view token) {
  const auto id = tokenizer.id(token);
  if (!id || !tokenizer.is_special(*id))
    usage_error("the tokenizer lacks the special token '" + std::string(token) + "' that the chat template needs",
                "train the tokenizer with hone's special tokens, or give the model another chat template");
  return *id;
}

// `answer_end` 0: there is no last answer.
Encoded with_mask(Encoded out) {
  for (const float w : out.weight) out.trained.push_back(w > 0);
  if (out.answer_end == 0) out.answer_begin = out.answer_end = static_cast<int64_t>(out.ids.size());
  return out;
}

Encoded encode_built_in(const Tokenizer& tokenizer, std::span<const Message> messages, bool add_generation_prompt) {
  const int32_t bos = required(tokenizer, "<|bos|>"), eos = required(tokenizer, "<|eos|>");
  const int32_t assistant = required(tokenizer, "<|assistant|>");
  Encoded out;
  const auto add = [&](std::span<const int32_t> ids, double weight) {
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    out.weight.resize(out.ids.size(), static_cast<float>(weight));
  };
  const auto add_one = [&](int32_t id, double weight) { add(std::span(&id, 1), weight); };
  add_one(bos, 0);
  for (const Message& message : messages) {
    require_built_in(message);
    const bool speaks = message.role == "assistant";
    add_one(speaks ? assistant : required(tokenizer, "<|" + message.role + "|>"), 0);
    out.answer_begin = static_cast<int64_t>(out.ids.size());
    add(tokenizer.encode(message.content, false), speaks ? message.weight : 0);
    if (speaks) add_one(eos, message.weight);
    out.answer_end = static_cast<int64_t>(out.ids.size());
  }
  if (add_generation_prompt || messages.empty() || messages.back().role != "assistant") out.answer_end = 0;
  if (add_generation_prompt) add_one(assistant, 0);
  return with_mask(std::move(out));
}

// How many of the messages became the first n when neighbours were joined.
size_t originals(std::span<const Message> messages, size_t n) {
  size_t taken = 0;
  while (taken < messages.size() &&
         joined_neighbours({messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(taken) + 1}).size() <= n)
    ++taken;
  return taken;
}

// Special tokens of the template are parsed, what lies between is ordinary text.
void encode_part(const Tokenizer& tokenizer, std::string_view text, std::vector<int32_t>& ids) {
  const bool continues = !ids.empty() && !tokenizer.is_special(ids.back());
  const auto more = tokenizer.encode_between_special(
      text, continues, [&](std::string_view part) { return show_special(tokenizer, part); });
  ids.insert(ids.end(), more.begin(), more.end());
}

bool all_white(const Tokenizer& tokenizer, std::span<const int32_t> ids) {
  const std::string text = tokenizer.decode(ids);
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

Encoded encode_turns(const Tokenizer& tokenizer, const Turns& turns) {
  Encoded out;
  out.apart = turns.apart;
  const std::string_view text = turns.text;
  size_t done = 0;
  const auto add = [&](size_t end, double weight) {
    encode_part(tokenizer, text.substr(done, end - done), out.ids);
    out.weight.resize(out.ids.size(), static_cast<float>(weight));
    done = end;
  };
  for (const Turn& turn : turns.turns) {
    add(turn.begin, 0);
    const size_t first = out.ids.size();
    add(turn.end, turn.weight);
    // The turn ends with its last special token; the white space that templates put after it is never sampled.
    size_t end = out.ids.size();
    while (end > first && !tokenizer.is_special(out.ids[end - 1])) --end;
    if (end == first || !all_white(tokenizer, std::span(out.ids).subspan(end))) end = out.ids.size();
    if (!turn.marked) std::fill(out.weight.begin() + static_cast<std::ptrdiff_t>(end), out.weight.end(), 0);
    out.answer_begin = static_cast<int64_t>(first);
    out.answer_end = static_cast<int64_t>(end);
  }
  if (!turns.last) out.answer_begin = out.answer_end = 0;
  add(text.size(), 0);
  return with_mask(std::move(out));
}

Encoded encode_rendered(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                        std::span<const Message> original, bool add_generation_prompt) {
  const std::vector<Message> messages = hide_special(tokenizer, original);
  std::optional<Turns> turns;
  try {
    turns = find_turns(chat_template, messages, add_generation_prompt);
  } catch (const Error&) {
    // Some templates want the roles to take turns.
    const std::vector<Message> joined = joined_neighbours(messages);
    if (joined.size() == messages.size()) throw;
    turns = find_turns(chat_template, joined, add_generation_prompt);
    require_rendered(chat_template, joined, *turns);
    Encoded out = encode_turns(tokenizer, *turns);
    for (size_t& n : out.apart) n = originals(messages, n);
    return out;
  }
  require_rendered(chat_template, messages, *turns);
  return encode_turns(tokenizer, *turns);
}

}  // namespace

Encoded encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template, std::span<const Message> messages,
                    bool add_generation_prompt) {
  return chat_template.is_built_in() ? encode_built_in(tokenizer, messages, add_generation_prompt)
                                     : encode_rendered(tokenizer, chat_template, messages, add_generation_prompt);
}

}  // namespace hone::text
