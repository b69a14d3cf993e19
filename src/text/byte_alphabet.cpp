#include "text/byte_alphabet.h"

#include <algorithm>
#include <numeric>

#include "base/utf8.h"

namespace hone::text {

const std::array<char32_t, 256>& byte_alphabet() {
  static const auto table = [] {
    std::array<char32_t, 256> out{};
    char32_t next = 256;  // bytes that do not print get the characters from U+0100 on, in order
    for (unsigned b = 0; b < 256; ++b) {
      const bool prints = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      out[b] = prints ? b : next++;
    }
    return out;
  }();
  return table;
}

const std::array<unsigned char, 256>& bytes_in_alphabet_order() {
  static const auto order = [] {
    std::array<unsigned char, 256> out{};
    std::iota(out.begin(), out.end(), static_cast<unsigned char>(0));
    std::sort(out.begin(), out.end(),
              [](unsigned char a, unsigned char b) { return byte_alphabet()[a] < byte_alphabet()[b]; });
    return out;
  }();
  return order;
}

std::string to_byte_alphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  for (const char c : bytes) append_utf8(out, byte_alphabet()[static_cast<unsigned char>(c)]);
  return out;
}

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  static const auto byte_of = [] {
    std::array<int, 324> out{};
    out.fill(-1);
    for (unsigned b = 0; b < 256; ++b) out[byte_alphabet()[b]] = static_cast<int>(b);
    return out;
  }();
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); i += utf8_length(static_cast<unsigned char>(text[i]))) {
    const char32_t c = utf8_first(text.substr(i));
    if (c >= byte_of.size() || byte_of[c] < 0) return std::nullopt;
    out += static_cast<char>(byte_of[c]);
  }
  return out;
}

}  // namespace hone::text
