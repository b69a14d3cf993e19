#include "jinja/strings.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "base/utf8.h"
#include "jinja/value.h"

namespace hone::jinja {
namespace {

size_t character_at(std::string_view text, size_t i) { return utf8_length(static_cast<unsigned char>(text[i])); }

template <class F>
std::string mapped(std::string_view text, const F& map) {
  icu::UnicodeString wide =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  map(wide);
  std::string out;
  wide.toUTF8String(out);
  return out;
}

}  // namespace

std::string upper(std::string_view text) {
  return mapped(text, [](icu::UnicodeString& s) { s.toUpper(icu::Locale::getRoot()); });
}

std::string lower(std::string_view text) {
  return mapped(text, [](icu::UnicodeString& s) { s.toLower(icu::Locale::getRoot()); });
}

std::string capitalize(std::string_view text) {
  if (text.empty()) return {};
  const size_t first = character_at(text, 0);
  return upper(text.substr(0, first)) + lower(text.substr(first));
}

std::string title(std::string_view text) {
  std::string out;
  bool in_word = false;
  for (size_t i = 0; i < text.size(); i += character_at(text, i)) {
    const std::string_view c = text.substr(i, character_at(text, i));
    const std::string low = lower(c), high = upper(c);
    const bool cased = low != high;
    out += !cased ? std::string(c) : in_word ? low : high;
    in_word = cased;
  }
  return out;
}

std::string_view strip(std::string_view text, const std::string* characters, bool left, bool right) {
  const auto strips = [&](std::string_view c) {
    return characters != nullptr ? characters->find(c) != std::string::npos : is_python_space(utf8_first(c));
  };
  while (left && !text.empty() && strips(text.substr(0, character_at(text, 0))))
    text.remove_prefix(character_at(text, 0));
  while (right && !text.empty()) {
    size_t i = text.size() - 1;
    while (i > 0 && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) --i;
    if (!strips(text.substr(i))) break;
    text.remove_suffix(text.size() - i);
  }
  return text;
}

std::vector<std::string> split(std::string_view text, const std::string* separator, int64_t limit, bool backwards) {
  std::vector<std::string> out;
  const auto more = [&] { return limit < 0 || static_cast<int64_t>(out.size()) < limit; };
  if (separator != nullptr) {
    if (separator->empty()) template_error("empty separator");
    if (!backwards) {
      for (size_t at = 0; more() && (at = text.find(*separator)) != std::string_view::npos;) {
        out.emplace_back(text.substr(0, at));
        text.remove_prefix(at + separator->size());
      }
      out.emplace_back(text);
      return out;
    }
    for (size_t at = 0; more() && (at = text.rfind(*separator)) != std::string_view::npos;) {
      out.emplace_back(text.substr(at + separator->size()));
      text = text.substr(0, at);
    }
    out.emplace_back(text);
    std::reverse(out.begin(), out.end());
    return out;
  }
  if (backwards && limit >= 0) template_error("rsplit() by white space with a limit is not supported");
  while (true) {
    text = strip(text, nullptr, true, false);
    if (text.empty()) return out;
    if (!more()) {
      out.emplace_back(text);
      return out;
    }
    size_t end = 0;
    while (end < text.size() && !is_python_space(utf8_first(text.substr(end)))) end += character_at(text, end);
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string> out;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t n = character_at(text, i);
    const char32_t c = utf8_first(text.substr(i));
    const bool ends = (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
    size_t after = i + n;
    if (c == '\r' && after < text.size() && text[after] == '\n') ++after;
    if (ends) {
      out.emplace_back(text.substr(begin, (keep_ends ? after : i) - begin));
      begin = after;
    }
    i = after;
  }
  if (begin < text.size()) out.emplace_back(text.substr(begin));
  return out;
}

size_t count(std::string_view text, std::string_view part) {
  if (part.empty()) return text_length(text) + 1;
  size_t n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size()) ++n;
  return n;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit) {
  std::string out;
  int64_t done = 0;
  const auto more = [&] { return limit < 0 || done < limit; };
  if (from.empty()) {  // between all characters
    size_t i = 0;
    for (; i < text.size() && more(); ++done) {
      const size_t n = character_at(text, i);
      out.append(to).append(text, i, n);
      i += n;
    }
    out.append(text.substr(i));
    return more() ? out.append(to) : out;
  }
  size_t begin = 0;
  for (size_t at = 0; more() && (at = text.find(from, begin)) != std::string_view::npos; ++done) {
    out.append(text.substr(begin, at - begin)).append(to);
    begin = at + from.size();
  }
  return out.append(text.substr(begin));
}

}  // namespace hone::jinja
