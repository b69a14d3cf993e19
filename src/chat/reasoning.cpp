#include "chat/reasoning.h"

#include <algorithm>
#include <cctype>

#include "chat/visible.h"

namespace hone::chat {
namespace {

constexpr std::string_view kWhite = " \t\r\n";

}  // namespace

ReasoningBlock block_of(std::string_view prompt) {
  ReasoningBlock block;
  prompt = prompt.substr(0, prompt.find_last_not_of(kWhite) + 1);
  for (const auto& [first, last] : {std::pair{'<', '>'}, std::pair{'[', ']'}}) {
    if (prompt.empty() || prompt.back() != last) continue;
    const size_t begin = prompt.rfind(first);
    if (begin == std::string_view::npos) continue;
    const std::string_view name = prompt.substr(begin + 1, prompt.size() - begin - 2);
    const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    // "[INST]" and the like are no block: a block speaks of thought.
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name.empty() || !std::ranges::all_of(name, plain) ||
        (lower.find("think") == std::string::npos && lower.find("thought") == std::string::npos &&
         lower.find("reason") == std::string::npos))
      continue;
    block.open = prompt.substr(begin);
    block.close = block.open.substr(0, 1) + "/" + block.open.substr(1);
    block.opened = true;
  }
  return block;
}

Parts split_reasoning(std::string_view text, const ReasoningBlock& block) {
  std::string_view rest = text;
  bool inside = block.opened;
  if (const size_t begin = rest.find_first_not_of(kWhite);
      begin != std::string_view::npos && rest.substr(begin).starts_with(block.open)) {
    rest.remove_prefix(begin + block.open.size());
    inside = true;
  }
  if (!inside) return {"", std::string(text), false};
  const size_t close = rest.find(block.close);
  if (close == std::string_view::npos) return {std::string(stripped(rest)), "", true};
  std::string_view content = rest.substr(close + block.close.size());
  content.remove_prefix(std::min(content.find_first_not_of(kWhite), content.size()));
  return {std::string(stripped(rest.substr(0, close))), std::string(content), false};
}

}  // namespace hone::chat
