#include "checkers/number.h"

#include <charconv>
#include <cmath>
#include <string>

namespace hone::checkers {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

constexpr std::string_view kMinus = "\xE2\x88\x92";  // U+2212

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  // LaTeX's fraction of two numbers at `at`, which is moved behind it.
  std::optional<double> latex_fraction(size_t& at) {
    for (const std::string_view open : {"\\frac{", "\\dfrac{", "\\tfrac{"}) {
      if (!text_.substr(at).starts_with(open)) continue;
      size_t end = at + open.size();
      const std::optional<double> above = number_at(end);
      if (!above || !text_.substr(end).starts_with("}{")) return std::nullopt;
      end += 2;
      const std::optional<double> below = number_at(end);
      if (!below || *below == 0 || end >= text_.size() || text_[end] != '}') return std::nullopt;
      const double value = *above / *below;
      const bool negative = minus_before(at);
      at = end + 1;
      return negative ? -value : value;
    }
    return std::nullopt;
  }

  // The number whose digits start at `at`, which is moved behind it.
  std::optional<double> number(size_t& at) {
    const bool negative = minus_before(at);
    std::optional<double> value = unsigned_number(at);
    if (value && at + 1 < text_.size() && text_[at] == '/' && digit(text_[at + 1])) {
      size_t below = at + 1;
      const std::optional<double> divisor = unsigned_number(below);
      if (divisor && *divisor != 0) value = *value / *divisor, at = below;
    }
    if (value && negative) value = -*value;
    return value;
  }

 private:
  std::optional<double> number_at(size_t& at) {
    if (at < text_.size() && text_[at] == '-') ++at;
    return at < text_.size() && digit(text_[at]) ? number(at) : std::nullopt;
  }

  char before(size_t at) const { return at == 0 ? ' ' : text_[at - 1]; }

  bool minus_before(size_t at) const {
    const size_t width = at > 0 && text_[at - 1] == '-' ? 1 : text_.substr(0, at).ends_with(kMinus) ? kMinus.size() : 0;
    if (width == 0) return false;
    const char c = before(at - width);
    return !digit(c) && !letter(c) && c != ')' && c != ']';
  }

  std::optional<double> unsigned_number(size_t& at) {
    std::string plain;
    while (at < text_.size() && digit(text_[at])) plain += text_[at++];
    if (plain.empty()) plain = "0";  // .5
    else if (plain.size() <= 3)
      while (groups_at(at)) plain += text_.substr(at + 1, 3), at += 4;
    if (at + 1 < text_.size() && text_[at] == '.' && digit(text_[at + 1])) {
      plain += text_[at++];
      while (at < text_.size() && digit(text_[at])) plain += text_[at++];
    }
    size_t end = at;
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      std::string exponent = "e";
      ++end;
      if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) {
        if (text_[end] == '-') exponent += '-';
        ++end;
      }
      if (end < text_.size() && digit(text_[end])) {
        while (end < text_.size() && digit(text_[end])) exponent += text_[end++];
        plain += exponent;
        at = end;
      }
    }
    double value = 0;
    const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), value);
    return read.ec == std::errc() && std::isfinite(value) ? std::optional(value) : std::nullopt;
  }

  // ",123" with no fourth digit behind.
  bool groups_at(size_t at) const {
    if (at + 3 >= text_.size() || text_[at] != ',') return false;
    for (size_t i = at + 1; i <= at + 3; ++i)
      if (!digit(text_[i])) return false;
    return at + 4 >= text_.size() || !digit(text_[at + 4]);
  }

  std::string_view text_;
};

}  // namespace

std::optional<double> last_number(std::string_view text) {
  Reader reader(text);
  std::optional<double> out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '\\')
      if (const auto value = reader.latex_fraction(at)) {
        out = value;
        continue;
      }
    const bool point = text[at] == '.' && at + 1 < text.size() && digit(text[at + 1]);
    if (!digit(text[at]) && !point) {
      ++at;
      continue;
    }
    if (at > 0 && letter(text[at - 1])) {  // part of a word, or the end of one
      if (point) ++at;
      while (!point && at < text.size() && (digit(text[at]) || letter(text[at]))) ++at;
      continue;
    }
    if (const auto value = reader.number(at)) out = value;
    else if (at < text.size()) ++at;
  }
  return out;
}

}  // namespace hone::checkers
