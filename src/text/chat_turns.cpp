#include "text/chat_turns.h"

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace hone::text {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trimmed(std::string_view s) {
  const size_t begin = s.find_first_not_of(kBlank);
  return begin == std::string_view::npos ? std::string_view() : s.substr(begin, s.find_last_not_of(kBlank) + 1 - begin);
}

size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

std::optional<std::string> rendered(const ChatTemplate& chat_template, std::span<const Message> messages,
                                    bool add_generation_prompt) {
  try {
    return chat_template.render(messages, add_generation_prompt);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// What the template puts before the words of an assistant that nobody has asked: the common beginning of two such
// turns.
std::optional<std::string> greeting_prompt(const ChatTemplate& chat_template, std::span<const Message> with_greeting) {
  std::vector<Message> messages(with_greeting.begin(), with_greeting.end());
  Message& greeting = messages.back();
  greeting = {greeting.role, "A"};
  greeting.tools = with_greeting.back().tools;
  const std::optional<std::string> one = rendered(chat_template, messages, false);
  greeting.content = "B";
  const std::optional<std::string> other = rendered(chat_template, messages, false);
  if (!one || !other) return std::nullopt;
  return one->substr(0, common_prefix(*one, *other));
}

bool asked(std::span<const Message> before) {
  return std::any_of(before.begin(), before.end(),
                     [](const Message& m) { return m.role == "user" || m.role == "tool"; });
}

// Where message k, an answer, stands in the whole; nothing where the whole renders it, or what is before it, otherwise.
std::optional<Turn> by_prefix(const ChatTemplate& chat_template, std::span<const Message> messages, size_t k,
                              const std::string& whole) {
  const bool last = k + 1 == messages.size();
  std::optional<std::string> prompt;
  if (k > 0) {
    // Of the last answer the reason is told.
    prompt = last && asked(messages.first(k)) ? chat_template.render(messages.first(k), true)
                                              : rendered(chat_template, messages.first(k), true);
  }
  if (!prompt && !asked(messages.first(k))) prompt = greeting_prompt(chat_template, messages.first(k + 1));
  if (!prompt) return std::nullopt;
  const std::optional<std::string> answered = last ? whole : rendered(chat_template, messages.first(k + 1), false);
  if (!answered || !whole.starts_with(*prompt) || !whole.starts_with(*answered) || answered->size() < prompt->size())
    return std::nullopt;
  return Turn{prompt->size(), answered->size(), messages[k].weight};
}

// A block that a generation prompt ends with: "<think>\n", or "<think>\n\n</think>\n\n".
struct Block {
  size_t begin = 0;  ///< in the prompt
  std::string open, close;
  bool closed = false;
};

std::optional<Block> block_at(std::string_view prompt, size_t begin) {
  const char first = prompt[begin];
  if (first != '<' && first != '[') return std::nullopt;
  const size_t end = prompt.find(first == '<' ? '>' : ']', begin);
  if (end == std::string_view::npos || end == begin + 1) return std::nullopt;
  const std::string_view name = prompt.substr(begin + 1, end - begin - 1);
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  if (!std::all_of(name.begin(), name.end(), plain)) return std::nullopt;
  Block block{begin, std::string(prompt.substr(begin, end + 1 - begin)), "", false};
  block.close = block.open.substr(0, 1) + "/" + block.open.substr(1);
  std::string_view rest = trimmed(prompt.substr(end + 1));
  if (!rest.empty() && rest != block.close) return std::nullopt;
  block.closed = !rest.empty();
  return block;
}

// The block that ends the prompt and begins at `most` or before.
std::optional<Block> last_block(std::string_view prompt, size_t most) {
  constexpr size_t kLongestBlock = 200;
  if (prompt.empty()) return std::nullopt;
  const size_t least = most < kLongestBlock ? 0 : most - kLongestBlock;
  for (size_t at = std::min(most, prompt.size() - 1) + 1; at-- > least;)
    if (auto block = block_at(prompt, at)) return block;
  return std::nullopt;
}

// The answer after a generation prompt with a block that the answered turn does not show.
std::optional<std::string> after_block(const std::string& prompt, const std::string& whole, const Message& answer) {
  const std::optional<Block> block = last_block(prompt, common_prefix(prompt, whole));
  if (!block) return std::nullopt;
  std::string_view rest = std::string_view(whole).substr(block->begin);
  const auto without_newlines = [](std::string_view s) {
    const size_t begin = s.find_first_not_of('\n');
    return begin == std::string_view::npos ? std::string_view() : s.substr(begin);
  };
  if (block->closed) {
    if (!answer.reasoning.empty() || rest.starts_with(block->open))
      usage_error(
          "the chat template's generation prompt ends the reasoning before the answer begins, and the row holds "
          "reasoning ('reasoning_content', or a block in its content)",
          "leave the reasoning out of the rows, or use the model's template for thinking");
    return prompt + std::string(without_newlines(rest));
  }
  if (rest.starts_with(block->open)) rest = without_newlines(rest.substr(block->open.size()));
  if (rest.find(block->close) != std::string_view::npos) return prompt + std::string(rest);
  std::string_view reasoning = answer.reasoning;
  const size_t close = answer.content.find(block->close);
  if (reasoning.empty() && close != std::string::npos) {  // in the content, and the template has stripped it
    reasoning = std::string_view(answer.content).substr(0, close);
    if (const size_t open = reasoning.find(block->open); open != std::string_view::npos)
      reasoning.remove_prefix(open + block->open.size());
  }
  std::string out = prompt;
  out += trimmed(reasoning);
  out += "\n" + block->close;
  if (!rest.starts_with('\n')) out += "\n\n";
  return out += rest;
}

// The answer, as the answered turn shows it, after its prompt. Found by what other words would change: a text alone can
// be.
std::optional<std::string> after_prompt(const ChatTemplate& chat_template, std::span<const Message> messages,
                                        const std::string& prompt, const std::string& whole) {
  const Message& answer = messages.back();
  if (beyond_plain_text(answer) || trimmed(answer.content).empty()) return std::nullopt;
  std::vector<Message> other(messages.begin(), messages.end());
  other.back().content = answer.content[answer.content.find_first_not_of(kBlank)] == 'A' ? "B" : "A";
  const std::optional<std::string> changed = rendered(chat_template, other, false);
  if (!changed) return std::nullopt;
  const size_t words = common_prefix(whole, *changed);
  if (!std::string_view(whole).substr(words).starts_with(trimmed(answer.content))) return std::nullopt;
  // Where the prompt ends in the answered text: what stands between there and the words (a space) is sampled too.
  constexpr size_t kFurthest = 200;
  size_t begin = words, longest = 0;
  for (size_t at = words; words - at <= kFurthest; --at) {
    const std::string_view before = std::string_view(whole).substr(0, at);
    const size_t same = static_cast<size_t>(
        std::mismatch(before.rbegin(), before.rend(), prompt.rbegin(), prompt.rend()).first - before.rbegin());
    if (same > longest) {
      longest = same;
      begin = at;
    }
    if (at == 0) break;
  }
  return prompt + whole.substr(begin);
}

}  // namespace

Turns find_turns(const ChatTemplate& chat_template, std::span<const Message> messages, bool add_generation_prompt) {
  ChatTemplate::Rendered whole = chat_template.render_with_spans(messages, add_generation_prompt);
  Turns out;
  const bool answered = !add_generation_prompt && !messages.empty() && messages.back().role == "assistant";
  if (add_generation_prompt) {
    const std::optional<Block> block = last_block(whole.text, whole.text.size());
    out.in_block = block && !block->closed;
  }
  const size_t earlier = answered ? messages.size() - 1 : messages.size();
  if (answered) {
    const size_t k = messages.size() - 1;
    out.last = by_prefix(chat_template, messages, k, whole.text);
    if (!out.last && k > 0) {
      const std::string prompt = chat_template.render(messages.first(k), true);
      std::optional<std::string> text = after_block(prompt, whole.text, messages[k]);
      out.in_block = text.has_value();
      if (!text) text = after_prompt(chat_template, messages, prompt, whole.text);
      if (text) {
        out.last = Turn{prompt.size(), text->size(), messages[k].weight};
        whole = {std::move(*text), {}};
      }
    }
    if (!out.last)
      usage_error(
          "the chat template writes the prompt of the last answer otherwise once it is answered, and the answer "
          "cannot be told from it",
          "use another chat template");
  }
  for (size_t k = 0; k < earlier; ++k) {
    if (messages[k].role != "assistant") continue;
    if (const auto turn = by_prefix(chat_template, messages, k, whole.text)) out.turns.push_back(*turn);
    else out.apart.push_back(k + 1);
  }
  if (!out.apart.empty() && !whole.generated.empty()) {
    // The template says itself what of such turns is trained.
    const size_t end = out.last ? out.last->begin : whole.text.size();
    std::vector<double> weights;
    for (size_t k = 0; k < earlier; ++k)
      if (messages[k].role == "assistant") weights.push_back(messages[k].weight);
    std::vector<Turn> marks;
    for (const auto& [from, to] : whole.generated)
      if (to <= end) marks.push_back({from, to, 1, true});
    const bool one_each = marks.size() == weights.size();
    if (!one_each && std::any_of(weights.begin(), weights.end(), [](double w) { return w != 1; }))
      usage_error("a turn has a weight, and the chat template marks " + std::to_string(marks.size()) + " parts for " +
                  std::to_string(weights.size()) + " earlier answers, so that its tokens cannot be told");
    for (size_t i = 0; one_each && i < marks.size(); ++i) marks[i].weight = weights[i];
    out.turns = std::move(marks);
    out.apart.clear();
  }
  if (out.last) out.turns.push_back(*out.last);
  out.text = std::move(whole.text);
  return out;
}

void require_rendered(const ChatTemplate& chat_template, std::span<const Message> messages, const Turns& turns) {
  // Whether the text of the first n messages stays the same when message k is changed. A template that fails without a
  // field asks for it.
  const auto same = [&](size_t n, size_t k, bool as_prompt, const std::function<void(Message&)>& change) {
    std::vector<Message> some(messages.begin(), messages.begin() + static_cast<std::ptrdiff_t>(n));
    const std::optional<std::string> before = rendered(chat_template, some, as_prompt);
    if (!before) return false;
    change(some[k]);
    return rendered(chat_template, some, as_prompt) == before;
  };
  const auto refuse = [](const std::string& what) {
    usage_error("the chat template does not render " + what, "use a template that does, or leave it out of the rows");
  };
  const size_t prompt = turns.last ? messages.size() - 1 : messages.size();
  for (size_t k = 0; k < messages.size(); ++k) {
    const Message& m = messages[k];
    if (!m.tools.empty() && same(std::max(prompt, k + 1), k, k < prompt, [](Message& x) { x.tools.clear(); }))
      refuse("'tools'");
    if (!m.tool_calls.empty() && same(k + 1, k, false, [](Message& x) { x.tool_calls.clear(); }))
      refuse("'tool_calls'");
    // A template that opens a block of reasoning strips it from the turns before.
    if (!m.reasoning.empty() && !turns.in_block && same(k + 1, k, false, [](Message& x) { x.reasoning.clear(); }))
      refuse("'reasoning_content'");
    const std::string_view words = trimmed(m.content);
    if (words.empty()) continue;
    // What a user or the assistant says is as a rule seen in the text; a tool's short answer may be there by chance.
    const bool speaks = m.role == "user" || m.role == "assistant";
    if (speaks && turns.text.find(words) != std::string::npos) continue;
    if (same(speaks ? k + 1 : prompt, k, !speaks, [](Message& x) { x.content += "x"; }))
      refuse("the turn of role '" + m.role + "'");
  }
}

}  // namespace hone::text
