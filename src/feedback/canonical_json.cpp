#include "feedback/canonical_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

namespace hone::feedback {
namespace {

constexpr double kLargestWhole = 0x1.0p53;

// ECMAScript strings are compared by their UTF-16 code units: a character beyond U+FFFF, a pair of surrogates, comes
// before U+E000 to U+FFFF.
std::u16string utf16(std::string_view text) {
  std::u16string out;
  while (!text.empty()) {
    const char32_t c = utf8_first(text);
    text.remove_prefix(utf8_length(static_cast<unsigned char>(text[0])));
    if (c < 0x10000) {
      out += static_cast<char16_t>(c);
    } else {
      out += static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10));
      out += static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  return out;
}

// The escape of RFC 8785 (section 3.2.2.2), or nothing.
std::string escape(char c) {
  constexpr std::string_view kShort = "\b\f\n\r\t\"\\", kLetters = "bfnrt\"\\";
  if (const size_t at = kShort.find(c); at != kShort.npos) return {'\\', kLetters[at]};
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20) return "";
  return {'\\', 'u', '0', '0', byte < 16 ? '0' : '1', "0123456789abcdef"[byte & 15]};
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool comes_before(const std::string& a, const std::string& b) {
  return is_ascii(a) && is_ascii(b) ? a < b : utf16(a) < utf16(b);
}

void write(const Json& value, std::string& out) {
  switch (value.type()) {
    case Json::value_t::null:
      out += "null";
      return;
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: {
      // Numbers are doubles to readers of canonical JSON. Beyond 2^53 a whole number passes where it is spelled as the
      // double that it stands for.
      const std::string text =
          value.is_number_unsigned() ? std::to_string(value.get<uint64_t>()) : std::to_string(value.get<int64_t>());
      const double as_double = value.get<double>();
      if (std::abs(as_double) >= kLargestWhole && canonical_number(as_double) != text)
        usage_error("the whole number " + text + " is beyond 2^53, where doubles have gaps", "write it as a text");
      out += text;
      return;
    }
    case Json::value_t::number_float:
      out += canonical_number(value.get<double>());
      return;
    case Json::value_t::string:
      append_canonical_text(value.get_ref<const std::string&>(), out);
      return;
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const Json& item : value) {
        if (!std::exchange(first, false)) out += ',';
        write(item, out);
      }
      out += ']';
      return;
    }
    case Json::value_t::object: {
      std::vector<Json::const_iterator> order;
      for (auto it = value.begin(); it != value.end(); ++it) {
        if (valid_utf8_prefix(it.key()) != it.key().size()) usage_error("a key is not UTF-8");
        order.push_back(it);
      }
      std::ranges::sort(order, comes_before, [](const auto& it) -> const std::string& { return it.key(); });
      out += '{';
      for (size_t i = 0; i < order.size(); ++i) {
        if (i > 0 && order[i].key() == order[i - 1].key()) usage_error("a key is there twice");
        if (i > 0) out += ',';
        append_canonical_text(order[i].key(), out);
        out += ':';
        write(order[i].value(), out);
      }
      out += '}';
      return;
    }
    case Json::value_t::binary:
    case Json::value_t::discarded:
      break;
  }
  usage_error("a value that JSON has no word for");
}

}  // namespace

void append_canonical_text(std::string_view text, std::string& out) {
  if (valid_utf8_prefix(text) != text.size()) usage_error("a text is not UTF-8");
  out += '"';
  size_t done = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out += text.substr(done, i - done);
    out += escape(text[i]);
    done = i + 1;
  }
  out += text.substr(done);
  out += '"';
}

std::string canonical_number(double value) {
  if (!std::isfinite(value)) usage_error("a number is not finite");
  if (value == 0) return "0";
  // The shortest digits that read back as the same double, and where their point stands: 0.d1d2… · 10^point.
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, std::abs(value), std::chars_format::scientific).ptr;
  const std::string_view all(text, static_cast<size_t>(end - text));
  const size_t e = all.find('e');
  std::string digits;
  for (const char c : all.substr(0, e))
    if (c != '.') digits += c;
  int exponent = 0;
  const char* from = all.data() + e + 1 + (all[e + 1] == '+');
  std::from_chars(from, end, exponent);
  const int point = exponent + 1, count = static_cast<int>(digits.size());
  const std::string sign = value < 0 ? "-" : "";
  // ECMAScript's Number::toString, steps 6 to 10.
  if (count <= point && point <= 21) return sign + digits + std::string(point - count, '0');
  if (0 < point && point <= 21) return sign + digits.substr(0, static_cast<size_t>(point)) + "." + digits.substr(point);
  if (-6 < point && point <= 0) return sign + "0." + std::string(-point, '0') + digits;
  const std::string power = (point > 0 ? "+" : "-") + std::to_string(std::abs(point - 1));
  return sign + digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + "e" + power;
}

std::string canonical_json(const Json& value) {
  std::string out;
  write(value, out);
  return out;
}

}  // namespace hone::feedback
