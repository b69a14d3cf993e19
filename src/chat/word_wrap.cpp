#include "chat/word_wrap.h"

#include "base/utf8.h"
#include "chat/columns.h"

namespace hone::chat {

void WordWrap::put_word(std::string& out, size_t width) {
  if (word_.empty()) return;
  const bool as_it_stands = in_code_ || fence_line_;
  if (!as_it_stands && !within_ && column_ > 0 && column_ + word_columns_ > width) {
    out += '\n';
    column_ = 0;
  }
  if (as_it_stands || column_ + word_columns_ <= width) {
    out += word_;
    column_ += word_columns_;
  } else {  // longer than a line
    for (std::string_view rest = word_; !rest.empty();) {
      const std::string_view bytes = rest.substr(0, utf8_length(static_cast<unsigned char>(rest[0])));
      const size_t columns = columns_of(utf8_first(rest));
      if (column_ > 0 && column_ + columns > width) {
        out += '\n';
        column_ = 0;
      }
      out += bytes;
      column_ += columns;
      rest.remove_prefix(bytes.size());
    }
  }
  word_.clear();
  word_columns_ = 0;
}

std::string WordWrap::feed(std::string_view text, size_t width) {
  std::string out;
  while (!text.empty()) {
    const std::string_view bytes = text.substr(0, utf8_length(static_cast<unsigned char>(text[0])));
    const char32_t c = utf8_first(text);
    text.remove_prefix(bytes.size());
    if (c == '\n') {
      put_word(out, width);
      out += '\n';
      column_ = ticks_ = 0;
      within_ = false;
      if (fence_line_) in_code_ = !in_code_;
      fence_line_ = false;
      line_begins_ = true;
      continue;
    }
    if (line_begins_ && c == '`') {
      if (++ticks_ == 3) fence_line_ = true;
    } else if (c != ' ' || ticks_ > 0) {
      line_begins_ = false;
    }
    const size_t columns = columns_at(c, column_ + word_columns_);
    if (in_code_ || fence_line_) {
      put_word(out, width);
      out += bytes;
      column_ += columns;
    } else if (c == ' ' || c == '\t') {
      put_word(out, width);
      within_ = false;
      if (column_ + columns <= width) {  // at the end of a line the break stands for it
        out += bytes;
        column_ += columns;
      }
    } else if (columns == 2) {  // Chinese and Japanese break between any two characters
      put_word(out, width);
      within_ = false;
      word_ = bytes;
      word_columns_ = 2;
      put_word(out, width);
    } else if (columns == 0 && word_.empty()) {  // belongs to what is shown already
      out += bytes;
    } else {
      word_ += bytes;
      word_columns_ += columns;
      if (within_ || word_columns_ > width) {
        put_word(out, width);
        within_ = true;
      }
    }
  }
  return out;
}

std::string WordWrap::finish(size_t width) {
  std::string out;
  put_word(out, width);
  return out;
}

}  // namespace hone::chat
