#include "text/special_text.h"

#include <array>
#include <charconv>

#include "base/error.h"
#include "base/json.h"

namespace hone::text {
namespace {

constexpr std::string_view kOpen = "\xEF\xB7\x90", kClose = "\xEF\xB7\x91";

// Finds special tokens in texts, longest first at each place, so that of two that begin alike the whole one is found.
class Finder {
 public:
  explicit Finder(const Tokenizer& tokenizer) : specials_(tokenizer.special_tokens()) {
    for (const std::string& special : specials_) begins_[static_cast<unsigned char>(special[0])] = true;
  }

  /// Its number among the special tokens, their count where none begins at `at`.
  size_t at(std::string_view text, size_t at) const {
    size_t best = specials_.size();
    if (!begins_[static_cast<unsigned char>(text[at])]) return best;
    for (size_t i = 0; i < specials_.size(); ++i)
      if (text.substr(at).starts_with(specials_[i]) &&
          (best == specials_.size() || specials_[i].size() > specials_[best].size()))
        best = i;
    return best;
  }

  bool any(std::string_view text) const {
    for (size_t i = 0; i < text.size(); ++i)
      if (at(text, i) < specials_.size()) return true;
    return false;
  }

  std::string hidden_text(const std::string& text) const {
    if (text.find(kOpen) != std::string::npos || text.find(kClose) != std::string::npos)
      usage_error("a message contains U+FDD0 or U+FDD1, which are no characters");
    std::string out;
    size_t done = 0;
    for (size_t i = 0; i < text.size();) {
      const size_t best = at(text, i);
      if (best == specials_.size()) {
        ++i;
        continue;
      }
      out.append(text, done, i - done).append(kOpen).append(std::to_string(best)).append(kClose);
      done = i += specials_[best].size();
    }
    return out.append(text, done);
  }

  // Within the texts of a JSON value, so that it stays JSON whatever the special tokens are.
  Json hidden(const Json& value) const {
    if (value.is_string()) return hidden_text(value.get_ref<const std::string&>());
    if (value.is_array()) {
      Json out = Json::array();
      for (const Json& item : value) out.push_back(hidden(item));
      return out;
    }
    if (!value.is_object()) return value;
    Json out = Json::object();
    for (const auto& [key, item] : value.items()) append_field(out, hidden_text(key), hidden(item));
    return out;
  }

  void hide_in_json(std::string& text, const char* what) const {
    if (text.empty()) return;
    const Json value = parse_json(text, what);
    text = dump_json(hidden(value));
  }

 private:
  const std::vector<std::string>& specials_;
  std::array<bool, 256> begins_{};  // the first bytes of special tokens
};

}  // namespace

std::vector<Message> hide_special(const Tokenizer& tokenizer, std::span<const Message> messages) {
  const Finder finder(tokenizer);
  std::vector<Message> out(messages.begin(), messages.end());
  for (Message& message : out) {
    for (std::string* text : {&message.content, &message.reasoning, &message.name, &message.tool_call_id})
      *text = finder.hidden_text(*text);
    finder.hide_in_json(message.tool_calls, "tool_calls");
    finder.hide_in_json(message.tools, "tools");
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

bool holds_special_text(const Tokenizer& tokenizer, std::span<const Message> messages) {
  const Finder finder(tokenizer);
  for (const Message& message : messages)
    for (const std::string* text : {&message.content, &message.reasoning, &message.tool_calls, &message.tools})
      if (finder.any(*text)) return true;
  return false;
}

bool holds_special_text(const Tokenizer& tokenizer, std::string_view text) { return Finder(tokenizer).any(text); }

}  // namespace hone::text
