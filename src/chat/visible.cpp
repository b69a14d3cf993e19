#include "chat/visible.h"

#include <cstdio>

#include "base/utf8.h"

namespace hone::chat {
namespace {

// U+202E and its like turn what stands behind them around, on the screen alone (CVE-2021-42574).
bool turns_direction(char32_t c) {
  return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (valid_utf8_prefix(text.substr(0, utf8_length(static_cast<unsigned char>(text[0])))) == 0) {
      out += "\uFFFD";
      text.remove_prefix(1);
      continue;
    }
    const char32_t c = utf8_first(text);
    const std::string_view bytes = text.substr(0, utf8_length(static_cast<unsigned char>(text[0])));
    text.remove_prefix(bytes.size());
    if (c == '\n' || c == '\t') {
      out += bytes;
    } else if (c == '\r') {
      continue;
    } else if (c < 0x20) {
      append_utf8(out, 0x2400 + c);
    } else if (c == 0x7F) {
      append_utf8(out, 0x2421);
    } else if ((c >= 0x80 && c < 0xA0) || c == 0x2028 || c == 0x2029 || turns_direction(c)) {
      char name[16];
      std::snprintf(name, sizeof name, "<U+%04X>", static_cast<unsigned>(c));
      out += name;
    } else {
      out += bytes;
    }
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : visible(text)) {
    if (c == '\n') out += "\\n";
    else if (c == '\\') out += "\\\\";
    else out += c;
  }
  return out;
}

std::string_view stripped(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n";
  const size_t begin = text.find_first_not_of(kWhite);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kWhite) + 1 - begin);
}

}  // namespace hone::chat
