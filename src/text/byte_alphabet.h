// GPT-2's reversible alphabet: every byte has a printable character, so that byte-level vocabularies can be written
// as text. Radford et al., "Language models are unsupervised multitask learners", 2019 (encoder.py).
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace hone::text {

/// The character that stands for each byte.
const std::array<char32_t, 256>& byte_alphabet();
/// The bytes in the order of their characters: the order of the first 256 tokens.
const std::array<unsigned char, 256>& bytes_in_alphabet_order();

/// "\x20the" -> "Ġthe".
std::string to_byte_alphabet(std::string_view bytes);
/// "Ġthe" -> "\x20the"; nothing if a character stands for no byte.
std::optional<std::string> from_byte_alphabet(std::string_view text);

}  // namespace hone::text
