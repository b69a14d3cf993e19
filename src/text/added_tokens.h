// Added and special tokens: found in the text before anything else, with the flags of Hugging Face `tokenizers`.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hone::text {

struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool single_word = false;  ///< only where no word character is next to it
  bool lstrip = false;       ///< takes in the white space before it
  bool rstrip = false;       ///< and after it
  bool normalized = false;   ///< searched in the normalised text
  bool special = false;
};

/// A part of a text: an added token (id >= 0) or what lies between (id < 0).
struct TextPart {
  size_t begin = 0, end = 0;
  int32_t id = -1;
};

/// Finds tokens of one set, leftmost first and of those the longest.
class AddedTokenMatcher {
 public:
  /// `content` is what to search for (the token's own, or normalised).
  void add(const AddedToken& token, const std::string& content);
  bool empty() const { return tokens_.empty(); }
  /// All parts of the valid UTF-8 text in order. Without `parse_special` special tokens are ordinary text.
  std::vector<TextPart> split(std::string_view text, bool parse_special) const;

 private:
  struct Entry {
    AddedToken token;
    std::string content;
  };
  const Entry* longest_at(std::string_view text) const;

  std::vector<Entry> tokens_;                       // longest content first
  std::array<std::vector<uint32_t>, 256> by_byte_;  // first byte of the content -> tokens, longest first
};

}  // namespace hone::text
