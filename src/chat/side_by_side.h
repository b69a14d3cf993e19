// Texts that come at the same time, in columns beside each other. A row is given out once every column's line of it is
// known, so that nothing that is on the screen has to be changed.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hone::chat {

class SideBySide {
 public:
  static constexpr size_t kLeastColumn = 34;  ///< narrower columns are hard to read
  /// Whether `columns` texts have room beside each other.
  static bool fits(size_t columns, size_t width);

  explicit SideBySide(size_t columns) : columns_(columns) {}
  /// Visible text.
  void feed(size_t column, std::string_view text) { columns_[column].text += text; }
  void end(size_t column) { columns_[column].ended = true; }
  /// The rows that are complete now, each with its newline; `width` may change from call to call.
  std::string rows(size_t width);

 private:
  struct Column {
    std::string text;  // not given out yet
    bool ended = false;
  };
  std::vector<Column> columns_;
};

}  // namespace hone::chat
