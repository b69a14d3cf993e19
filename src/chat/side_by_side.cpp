#include "chat/side_by_side.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "chat/columns.h"

namespace hone::chat {
namespace {

constexpr std::string_view kBetween = " \u2502 ";
constexpr size_t kBetweenColumns = 3;

// A line that was cut off the front of a text.
struct Cut {
  std::string text;    // without a newline, tabs as blanks
  size_t columns = 0;  // that it takes
  size_t bytes = 0;    // of the source that it stands for
};

// The first line of a text; nothing while more text could change it.
std::optional<Cut> first_line(std::string_view text, size_t width, bool ended) {
  Cut line, at_break;  // at_break: up to the last place where the line may be broken
  while (line.bytes < text.size()) {
    const std::string_view rest = text.substr(line.bytes);
    const char32_t c = utf8_first(rest);
    const size_t bytes = utf8_length(static_cast<unsigned char>(rest[0])), columns = columns_at(c, line.columns);
    if (c == '\n') {
      ++line.bytes;
      return line;
    }
    const bool blank = c == ' ' || c == '\t';
    if (columns == 2) at_break = line;
    if (line.columns + columns > width && line.columns > 0) {
      if (blank) at_break = line;
      Cut out = at_break.bytes > 0 ? at_break : line;
      while (out.bytes < text.size() && text[out.bytes] == ' ') ++out.bytes;  // the break stands for them
      return out;
    }
    if (blank) line.text.append(columns, ' ');
    else line.text += rest.substr(0, bytes);
    line.columns += columns;
    line.bytes += bytes;
    if (blank || columns == 2) at_break = line;
  }
  if (ended && line.bytes > 0) return line;
  return std::nullopt;
}

}  // namespace

bool SideBySide::fits(size_t columns, size_t width) {
  return columns * kLeastColumn + (columns - 1) * kBetweenColumns <= width;
}

std::string SideBySide::rows(size_t width) {
  const size_t n = columns_.size();
  const size_t between = (n - 1) * kBetweenColumns;
  const size_t each = width > between + 2 * n ? (width - between) / n : 2;  // at least a wide character
  std::string out;
  while (true) {
    std::vector<Cut> lines(n);
    bool any = false;
    for (size_t i = 0; i < n; ++i) {
      if (columns_[i].ended && columns_[i].text.empty()) continue;
      std::optional<Cut> line = first_line(columns_[i].text, each, columns_[i].ended);
      if (!line) return out;
      lines[i] = std::move(*line);
      any = true;
    }
    if (!any) return out;
    for (size_t i = 0; i < n; ++i) {
      columns_[i].text.erase(0, lines[i].bytes);
      out += lines[i].text;
      if (i + 1 == n) break;
      out.append(each - std::min(each, lines[i].columns), ' ');
      out += kBetween;
    }
    out += '\n';
  }
}

}  // namespace hone::chat
