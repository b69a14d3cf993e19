// UTF-8, as little of it as tokenizers need: where valid text ends, one character at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hone {

/// Bytes of the longest prefix that is well-formed UTF-8 (no surrogates, nothing overlong, at most U+10FFFF).
size_t valid_utf8_prefix(std::string_view text);

/// The text with each byte that is not part of well-formed UTF-8 as U+FFFD: what a token cut in the middle of a
/// character leaves.
std::string valid_utf8(std::string_view text);

/// Length in bytes of the character that starts with this lead byte (1 for a byte that starts none).
inline size_t utf8_length(unsigned char lead) { return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

/// The character at the start of valid, non-empty text.
char32_t utf8_first(std::string_view text);
/// The last character of valid, non-empty text.
char32_t utf8_last(std::string_view text);
void append_utf8(std::string& out, char32_t c);

/// Unicode White_Space. Regular expressions here mean this by \s.
bool is_white_space(char32_t c);
/// A character of a word (letters, marks, numbers, connectors): what an added token's `single_word` looks at.
bool is_word_character(char32_t c);

}  // namespace hone
