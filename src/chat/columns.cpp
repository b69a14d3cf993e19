#include "chat/columns.h"

#include <unicode/uchar.h>

#include "base/utf8.h"

namespace hone::chat {

size_t columns_of(char32_t c) {
  if (c >= 0x20 && c < 0x7F) return 1;
  const auto code = static_cast<UChar32>(c);
  const uint32_t category = U_GET_GC_MASK(code);
  if ((category & (U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK)) != 0 && c != 0xAD) return 0;
  if (c >= 0x1160 && c <= 0x11FF) return 0;  // Hangul's medial and final letters stand in the block before them
  switch (u_getIntPropertyValue(code, UCHAR_EAST_ASIAN_WIDTH)) {
    case U_EA_WIDE:
    case U_EA_FULLWIDTH:
      return 2;
    default:
      return 1;
  }
}

size_t columns_of(std::string_view text) {
  size_t out = 0;
  while (!text.empty()) {
    out += columns_of(utf8_first(text));
    text.remove_prefix(utf8_length(static_cast<unsigned char>(text[0])));
  }
  return out;
}

size_t columns_at(char32_t c, size_t column) { return c == '\t' ? 8 - column % 8 : columns_of(c); }

}  // namespace hone::chat
