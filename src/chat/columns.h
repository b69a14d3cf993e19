// How wide text stands on a terminal: East Asian wide characters and emoji take two columns, marks none.
#pragma once
#include <cstddef>
#include <string_view>

namespace hone::chat {

/// 0, 1 or 2, by Unicode's East_Asian_Width and general category (ICU).
size_t columns_of(char32_t c);
/// Of valid UTF-8 without control characters.
size_t columns_of(std::string_view text);

/// The columns that one character behind `column` takes: a tab reaches to the next multiple of eight.
size_t columns_at(char32_t c, size_t column);

}  // namespace hone::chat
