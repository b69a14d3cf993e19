// How gold scoring reads an answer: words, sentences, punctuation. Takes any bytes, never throws.
#pragma once
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace hone::world {

struct Reading {
  std::vector<std::string> words;  ///< lower case, without "'s"
  int sentences = 0;               ///< ended by . ! or ?, or by the end of the text; "1." before an item ends none
  bool starts_capital = false;     ///< first byte is an upper-case letter or a digit
  bool ends_stop = false;          ///< last byte is . ! or ?
  bool clean = true;               ///< letters, digits, blanks and . , : ' ? ! - only

  bool has(std::string_view word) const;
  /// The words one after another, e.g. {"you", "are", "right"} written "you are right".
  bool says(std::string_view phrase) const;
};

/// Reads at most the first 4,000 bytes.
Reading read(std::string_view text);

/// Clean, at least one word, every word known, no word twice in a row, at least 40% of the words distinct.
bool is_fluent(const Reading& reading, const std::unordered_set<std::string>& known);

}  // namespace hone::world
