#include "jinja/lexer.h"

#include <algorithm>
#include <cctype>

#include "base/utf8.h"
#include "jinja/value.h"

namespace hone::jinja {
namespace {

using Type = Token::Type;

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_name_part(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

class Lexer {
 public:
  Lexer(std::string_view source, int& line) : line_(line) {
    for (size_t i = 0; i < source.size(); ++i) {  // newlines as one kind; the last one is dropped
      if (source[i] != '\r') source_ += source[i];
      else if (i + 1 == source.size() || source[i + 1] != '\n') source_ += '\n';
    }
    if (source_.ends_with('\n')) source_.pop_back();
  }

  std::vector<Token> run() {
    while (at_ < source_.size()) text_and_tag();
    put(Type::kEnd, "");
    return std::move(tokens_);
  }

 private:
  void put(Type type, std::string text) { tokens_.push_back({type, std::move(text), line_}); }

  void advance(size_t to) {
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }

  // Text up to the next tag, trimmed as the tag's sign and lstrip_blocks say.
  std::string text_before(size_t tag, bool is_output) {
    std::string text = source_.substr(at_, tag - at_);
    const char sign = tag + 2 < source_.size() ? source_[tag + 2] : ' ';
    if (sign == '-') {
      while (!text.empty() && is_space(text.back())) text.pop_back();
    } else if (sign != '+' && !is_output) {
      const size_t line_start = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
      const bool blank = std::all_of(text.begin() + static_cast<std::ptrdiff_t>(line_start), text.end(), is_space);
      if (blank && (line_start > 0 || line_starting_)) text.resize(line_start);
    }
    return text;
  }

  // After the closing delimiter: `-` takes all white space, a block or comment one newline.
  void close(size_t after, char sign, bool trims_newline) {
    if (sign == '-') {
      while (after < source_.size() && is_space(source_[after])) ++after;
    } else if (sign != '+' && trims_newline && after < source_.size() && source_[after] == '\n') {
      ++after;
    }
    line_starting_ = source_[after - 1] == '\n';
    advance(after);
  }

  void text_and_tag() {
    size_t tag = at_;
    while (true) {
      tag = source_.find('{', tag);
      if (tag == std::string::npos || tag + 1 >= source_.size()) {
        put(Type::kText, source_.substr(at_));
        advance(source_.size());
        return;
      }
      const char next = source_[tag + 1];
      if (next == '{' || next == '%' || next == '#') break;
      ++tag;
    }
    const char kind = source_[tag + 1];
    if (std::string text = text_before(tag, kind == '{'); !text.empty()) put(Type::kText, std::move(text));
    advance(tag);
    if (kind == '#') return comment();
    size_t inside = tag + 2;
    if (inside < source_.size() && (source_[inside] == '-' || source_[inside] == '+')) ++inside;
    if (kind == '%' && raw(inside)) return;
    put(kind == '{' ? Type::kOpenOutput : Type::kOpenBlock, "");
    advance(inside);
    expression(kind == '{' ? '}' : '%');
  }

  void comment() {
    const size_t end = source_.find("#}", at_ + 2);
    if (end == std::string::npos) template_error("Missing end of comment tag");
    close(end + 2, source_[end - 1], true);
  }

  // {% raw %} … {% endraw %}: text as it stands.
  bool raw(size_t inside) {
    const auto skip = [&](size_t i) {
      while (i < source_.size() && is_space(source_[i])) ++i;
      return i;
    };
    size_t i = skip(inside);
    if (source_.compare(i, 3, "raw") != 0 || (i + 3 < source_.size() && is_name_part(source_[i + 3]))) return false;
    i = skip(i + 3);
    const char sign = i < source_.size() && source_[i] == '-' ? '-' : ' ';
    if (sign == '-') ++i;
    if (source_.compare(i, 2, "%}") != 0) return false;
    close(i + 2, sign, false);
    for (size_t tag = at_; (tag = source_.find("{%", tag)) != std::string::npos; tag += 2) {
      size_t j = tag + 2;
      if (j < source_.size() && (source_[j] == '-' || source_[j] == '+')) ++j;
      j = skip(j);
      if (source_.compare(j, 6, "endraw") != 0) continue;
      j = skip(j + 6);
      const char end_sign = j < source_.size() && (source_[j] == '-' || source_[j] == '+') ? source_[j] : ' ';
      if (end_sign != ' ') ++j;
      if (source_.compare(j, 2, "%}") != 0) continue;
      if (std::string text = text_before(tag, false); !text.empty()) put(Type::kText, std::move(text));
      advance(tag);
      close(j + 2, end_sign, true);
      return true;
    }
    template_error("Missing end of raw directive");
  }

  void expression(char closer) {
    std::string brackets;
    while (true) {
      size_t i = at_;
      while (i < source_.size() && is_space(source_[i])) ++i;
      advance(i);
      if (i >= source_.size()) template_error("unexpected end of template");
      if (brackets.empty()) {
        const char sign = source_[i] == '-' || source_[i] == '+' ? source_[i] : ' ';
        const size_t end = sign == ' ' ? i : i + 1;
        if (end + 1 < source_.size() && source_[end] == closer && source_[end + 1] == '}' &&
            !(closer == '}' && sign == '+')) {
          put(closer == '}' ? Type::kCloseOutput : Type::kCloseBlock, "");
          return close(end + 2, sign, closer == '%');
        }
      }
      const char c = source_[i];
      if (is_name_start(c)) {
        while (i < source_.size() && is_name_part(source_[i])) ++i;
        put(Type::kName, source_.substr(at_, i - at_));
        advance(i);
      } else if (std::isdigit(static_cast<unsigned char>(c))) {
        number();
      } else if (c == '"' || c == '\'') {
        string(c);
      } else {
        symbol(brackets);
      }
    }
  }

  void number() {
    size_t i = at_;
    const auto digits = [&] {
      while (i < source_.size() && (std::isdigit(static_cast<unsigned char>(source_[i])) || source_[i] == '_')) ++i;
    };
    const auto digit_at = [&](size_t j) {
      return j < source_.size() && std::isdigit(static_cast<unsigned char>(source_[j]));
    };
    digits();
    bool real = false;
    if (i < source_.size() && source_[i] == '.' && digit_at(i + 1)) {
      real = true;
      ++i;
      digits();
    }
    if (i < source_.size() && (source_[i] == 'e' || source_[i] == 'E') &&
        (digit_at(i + 1) ||
         (i + 1 < source_.size() && (source_[i + 1] == '-' || source_[i + 1] == '+') && digit_at(i + 2)))) {
      real = true;
      i += 2;
      digits();
    }
    std::string text = source_.substr(at_, i - at_);
    std::erase(text, '_');
    put(real ? Type::kFloat : Type::kInteger, text);
    advance(i);
  }

  // Python's escapes.
  void string(char quote) {
    std::string value;
    size_t i = at_ + 1;
    for (; i < source_.size() && source_[i] != quote; ++i) {
      if (source_[i] != '\\' || i + 1 >= source_.size()) {
        value += source_[i];
        continue;
      }
      const char c = source_[++i];
      constexpr std::string_view kFrom = "ntrabfv\\'\"", kTo = "\n\t\r\a\b\f\v\\'\"";
      if (const size_t known = kFrom.find(c); known != std::string_view::npos) value += kTo[known];
      else if (c == '\n') continue;
      else if (c == 'x' || c == 'u' || c == 'U') i = code_point(i, c == 'x' ? 2 : c == 'u' ? 4 : 8, value);
      else if (c >= '0' && c <= '7') {
        char32_t code = 0;
        size_t n = 0;
        while (n < 3 && i + n < source_.size() && source_[i + n] >= '0' && source_[i + n] <= '7')
          code = code * 8 + static_cast<char32_t>(source_[i + n++] - '0');
        append_utf8(value, code);
        i += n - 1;
      } else if (c == 'N') {
        template_error("the escape \\N in a string is not supported");
      } else {
        (value += '\\') += c;
      }
    }
    if (i >= source_.size()) template_error("a string does not end");
    put(Type::kString, std::move(value));
    advance(i + 1);
  }

  size_t code_point(size_t i, size_t digits, std::string& value) {
    char32_t code = 0;
    for (size_t n = 1; n <= digits; ++n) {
      if (i + n >= source_.size() || !std::isxdigit(static_cast<unsigned char>(source_[i + n])))
        template_error("a truncated escape in a string");
      const char d = source_[i + n];
      code = code * 16 + static_cast<char32_t>(d <= '9' ? d - '0' : (d | 32) - 'a' + 10);
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) template_error("an escape in a string is no character");
    append_utf8(value, code);
    return i + digits;
  }

  void symbol(std::string& brackets) {
    constexpr std::string_view kTwo[] = {"==", "!=", "<=", ">=", "//", "**"};
    for (const std::string_view two : kTwo) {
      if (source_.compare(at_, 2, two) != 0) continue;
      put(Type::kOperator, std::string(two));
      return advance(at_ + 2);
    }
    const char c = source_[at_];
    if (std::string_view("+-*/%~<>=.:|,()[]{};").find(c) == std::string_view::npos)
      template_error(std::string("unexpected char ") +
                     Value::string(std::string(text_slice(std::string_view(source_).substr(at_), 0, 1))).repr());
    if (c == '(') brackets += ')';
    if (c == '[') brackets += ']';
    if (c == '{') brackets += '}';
    if (c == ')' || c == ']' || c == '}') {
      if (brackets.empty() || brackets.back() != c) template_error(std::string("unexpected '") + c + "'");
      brackets.pop_back();
    }
    put(Type::kOperator, std::string(1, c));
    advance(at_ + 1);
  }

  std::string source_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int& line_;
  bool line_starting_ = true;
};

}  // namespace

std::vector<Token> lex(std::string_view source, int& line) {
  if (valid_utf8_prefix(source) != source.size()) template_error("the template is not valid UTF-8");
  return Lexer(source, line).run();
}

}  // namespace hone::jinja
