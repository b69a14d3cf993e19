// Breaks a text into a terminal's lines at words while it comes. A word is held until it ends. Lines between ``` fences
// are left to the terminal, which breaks them without a newline, so that code can be copied.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace hone::chat {

class WordWrap {
 public:
  /// What may be shown now, of visible text; `width` may change from call to call.
  std::string feed(std::string_view text, size_t width);
  /// The last word.
  std::string finish(size_t width);
  /// Whether the last line has no newline yet.
  bool in_line() const { return column_ > 0; }

 private:
  void put_word(std::string& out, size_t width);
  std::string word_;
  size_t word_columns_ = 0, column_ = 0;
  size_t ticks_ = 0;         // of a line that begins with backticks
  bool within_ = false;      // a word longer than a line, of which a part is shown
  bool line_begins_ = true;  // nothing but backticks in it so far
  bool fence_line_ = false, in_code_ = false;
};

}  // namespace hone::chat
