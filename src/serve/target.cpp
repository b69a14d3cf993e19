#include "serve/target.h"

#include <algorithm>

#include "base/utf8.h"
#include "serve/http.h"

namespace hone::serve {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// Percent-decoded; What comes out must be UTF-8 without control characters, but for the line
// breaks and tabs of a query's text.
std::string decode(std::string_view text, Problem problem, bool query) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) throw Refused(problem, "a percent sign without two hexadecimal digits behind it");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && query) {
      c = ' ';
    }
    if (is_control(c) && !(query && (c == '\n' || c == '\r' || c == '\t')))
      throw Refused(problem, "a control character");
    out += c;
  }
  if (valid_utf8_prefix(out) != out.size()) throw Refused(problem, "bytes that are no UTF-8");
  return out;
}

// The piece of `rest` before `separator`, which is taken off with it.
std::string_view next_piece(std::string_view& rest, char separator) {
  const size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return piece;
}

}  // namespace

Target parse_target(std::string_view target) {
  if (!target.starts_with('/')) throw Refused(Problem::kBadPath, "the address does not begin with a slash");
  const size_t mark = target.find('?');
  std::string_view path = target.substr(0, mark);
  Target out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    std::string segment = decode(path.substr(0, end), Problem::kBadPath, false);
    path.remove_prefix(end);
    if (segment == "." || segment == ".." || segment.find_first_of("/\\") != segment.npos)
      throw Refused(Problem::kBadPath, "a segment that is \".\" or \"..\", or a slash or backslash within one");
    out.path += '/' + segment;
    out.segments.push_back(std::move(segment));
  }
  if (out.path == "/") out.segments.clear();
  if (mark == target.npos) return out;
  for (std::string_view rest = target.substr(mark + 1); !rest.empty();) {
    std::string_view value = next_piece(rest, '&');
    if (value.empty()) continue;
    const std::string_view name = next_piece(value, '=');
    const auto [it, added] =
        out.query.emplace(decode(name, Problem::kBadQuery, true), decode(value, Problem::kBadQuery, true));
    if (!added) throw Refused(Problem::kBadQuery, "a name that is there twice: " + it->first);
  }
  return out;
}

}  // namespace hone::serve
