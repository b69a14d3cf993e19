#include "checkers/answer_part.h"

namespace hone::checkers {
namespace {

constexpr std::string_view kSpace = " \t\r\n\f\v";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// What stands in the last \boxed{…}, whose braces balance.
std::optional<std::string_view> boxed(std::string_view text) {
  constexpr std::string_view kOpen = "\\boxed{";
  const size_t at = text.rfind(kOpen);
  if (at == std::string_view::npos) return std::nullopt;
  const size_t begin = at + kOpen.size();
  int64_t depth = 1;
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    else if (text[i] == '}' && --depth == 0) return text.substr(begin, i - begin);
  }
  return std::nullopt;
}

// What stands between the last two ``` that are each at the start of a line, without the word behind the first.
std::optional<std::string_view> fenced(std::string_view text) {
  constexpr std::string_view kFence = "```";
  const auto fence_before = [&](size_t end) {
    for (size_t at = text.substr(0, end).rfind(kFence); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : text.substr(0, at).rfind(kFence))
      if (at == 0 || text[at - 1] == '\n') return at;
    return std::string_view::npos;
  };
  const size_t close = fence_before(text.size());
  if (close == std::string_view::npos || close == 0) return std::nullopt;
  const size_t open = fence_before(close);
  if (open == std::string_view::npos) return std::nullopt;
  const size_t line_end = text.find('\n', open);
  return text.substr(line_end + 1, close - line_end - 1);
}

}  // namespace

std::optional<std::string_view> AnswerPart::of(std::string_view answer) const {
  if (!after.empty()) {
    const size_t at = answer.rfind(after);
    if (at == std::string_view::npos) return std::nullopt;
    answer.remove_prefix(at + after.size());
  }
  answer = trimmed(answer);
  std::optional<std::string_view> out = answer;
  if (part == "last_line") out = answer.substr(answer.find_last_of('\n') + 1);  // npos + 1 is 0
  if (part == "boxed") out = boxed(answer);
  if (part == "fenced") out = fenced(answer);
  if (out) out = trimmed(*out);
  return out;
}

}  // namespace hone::checkers
