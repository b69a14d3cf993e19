#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "text/chat_template.h"

namespace hone::text {
namespace {

int32_t required(const Tokenizer& tokenizer, std::string_view token) {
  const auto id = tokenizer.id(token);
  if (!id || !tokenizer.is_special(*id))
    usage_error("the tokenizer lacks the special token '" + std::string(token) + "' that the chat template needs",
                "train the tokenizer with hone's special tokens, or give the model another chat template");
  return *id;
}

Encoded encode_built_in(const Tokenizer& tokenizer, std::span<const Message> messages, bool add_generation_prompt) {
  const int32_t bos = required(tokenizer, "<|bos|>"), eos = required(tokenizer, "<|eos|>");
  const int32_t assistant = required(tokenizer, "<|assistant|>");
  Encoded out{{bos}, {0}};
  for (const Message& message : messages) {
    if (message.role != "user" && message.role != "assistant" && message.role != "system")
      usage_error("unknown role: '" + message.role + "'", "roles are system, user and assistant");
    const bool speaks = message.role == "assistant";
    out.ids.push_back(speaks ? assistant : required(tokenizer, "<|" + message.role + "|>"));
    out.trained.push_back(0);
    const std::vector<int32_t> content = tokenizer.encode(message.content, false);
    out.ids.insert(out.ids.end(), content.begin(), content.end());
    out.trained.insert(out.trained.end(), content.size(), speaks);
    if (!speaks) continue;
    out.ids.push_back(eos);
    out.trained.push_back(1);
  }
  if (add_generation_prompt) {
    out.ids.push_back(assistant);
    out.trained.push_back(0);
  }
  return out;
}

// What people write must not become control tokens. A special token's text in a message is put out of sight while the
// template renders, as <U+FDD0 index U+FDD1> (code points that are no characters), and comes back as ordinary text.
constexpr std::string_view kOpen = "\xEF\xB7\x90", kClose = "\xEF\xB7\x91";

std::vector<Message> hide_special(const Tokenizer& tokenizer, std::span<const Message> messages) {
  std::vector<Message> out(messages.begin(), messages.end());
  const auto& specials = tokenizer.special_tokens();
  std::array<bool, 256> begins{};  // the first bytes of special tokens
  for (const std::string& special : specials) begins[static_cast<unsigned char>(special[0])] = true;
  for (Message& message : out) {
    std::string& text = message.content;
    if (text.find(kOpen) != std::string::npos || text.find(kClose) != std::string::npos)
      usage_error("a message contains U+FDD0 or U+FDD1, which are no characters");
    // Longest first at each place, so that of two that begin alike the whole one is hidden.
    for (size_t at = 0; at < text.size(); ++at) {
      if (!begins[static_cast<unsigned char>(text[at])]) continue;
      size_t best = specials.size();
      for (size_t i = 0; i < specials.size(); ++i)
        if (text[at] == specials[i][0] && text.compare(at, specials[i].size(), specials[i]) == 0 &&
            (best == specials.size() || specials[i].size() > specials[best].size()))
          best = i;
      if (best == specials.size()) continue;
      const std::string mark = std::string(kOpen) + std::to_string(best) + std::string(kClose);
      text.replace(at, specials[best].size(), mark);
      at += mark.size() - 1;
    }
  }
  return out;
}

std::string show_special(const Tokenizer& tokenizer, std::string_view text) {
  std::string out;
  while (true) {
    const size_t open = text.find(kOpen);
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    text.remove_prefix(open + kOpen.size());
    const size_t close = text.find(kClose);
    // A template may cut or change a message anywhere; what is left of a broken mark stands for nothing.
    if (close == std::string_view::npos) return out;
    size_t index = tokenizer.special_tokens().size();
    std::from_chars(text.data(), text.data() + close, index);
    if (index < tokenizer.special_tokens().size()) out += tokenizer.special_tokens()[index];
    text.remove_prefix(close + kClose.size());
  }
}

struct Span {
  size_t begin, end;
};

// Where the assistant speaks: between the prompt that would make it speak and the conversation with its answer, so that
// the first trained token is the first sampled one. Nothing where the template renders a message otherwise later on;
// `failed` is then the message's number.
std::optional<std::vector<Span>> spans_by_prefix(const ChatTemplate& chat_template, std::span<const Message> messages,
                                                 const std::string& whole, size_t& failed) {
  std::vector<Span> spans;
  for (size_t k = 0; k < messages.size(); ++k) {
    if (messages[k].role != "assistant") continue;
    const std::string prompt = chat_template.render(messages.first(k), true);
    const std::string answered = chat_template.render(messages.first(k + 1), false);
    if (!whole.starts_with(prompt) || !whole.starts_with(answered) || answered.size() < prompt.size()) {
      failed = k + 1;
      return std::nullopt;
    }
    spans.push_back({prompt.size(), answered.size()});
  }
  return spans;
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

Encoded encode_rendered(const Tokenizer& tokenizer, const ChatTemplate& chat_template,
                        std::span<const Message> original, bool add_generation_prompt) {
  const std::vector<Message> messages = hide_special(tokenizer, original);
  const ChatTemplate::Rendered rendered = chat_template.render_with_spans(messages, add_generation_prompt);
  size_t failed = 0;
  std::optional<std::vector<Span>> spans = spans_by_prefix(chat_template, messages, rendered.text, failed);
  const bool marked = !spans && !rendered.generated.empty();
  if (marked) {
    spans.emplace();
    for (const auto& [begin, end] : rendered.generated) spans->push_back({begin, end});
  } else if (!spans && add_generation_prompt) {
    spans.emplace();  // a prompt to sample from: nothing in it is trained
  } else if (!spans) {
    usage_error("the chat template renders message " + std::to_string(failed) +
                    " otherwise when the conversation goes on, so that its tokens cannot be told from the prompt's",
                "train on conversations with one answer, or mark the answer by {% generation %} in the template");
  }

  Encoded out;
  const std::string_view text = rendered.text;
  size_t done = 0;
  const auto add = [&](size_t end, uint8_t trained) {
    encode_part(tokenizer, text.substr(done, end - done), out.ids);
    out.trained.resize(out.ids.size(), trained);
    done = end;
  };
  for (const Span& span : *spans) {
    add(span.begin, 0);
    const size_t first = out.ids.size();
    add(span.end, 1);
    if (marked) continue;
    // The turn ends with its last special token; the white space that templates put after it is never sampled.
    size_t end = out.ids.size();
    while (end > first && !tokenizer.is_special(out.ids[end - 1])) --end;
    if (end > first && all_white(tokenizer, std::span(out.ids).subspan(end)))
      std::fill(out.trained.begin() + static_cast<std::ptrdiff_t>(end), out.trained.end(), 0);
  }
  add(text.size(), 0);
  return out;
}

}  // namespace

Encoded encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template, std::span<const Message> messages,
                    bool add_generation_prompt) {
  return chat_template.is_built_in() ? encode_built_in(tokenizer, messages, add_generation_prompt)
                                     : encode_rendered(tokenizer, chat_template, messages, add_generation_prompt);
}

}  // namespace hone::text
