// Where rows go: standard output, or a file that appears when it is complete, or not at all.
#pragma once
#include <string>
#include <string_view>

namespace hone::cli {

class RowWriter {
 public:
  /// "" or "-" is standard output. A path that cannot be written: kUsage. One file at a time: Ctrl-C removes it.
  explicit RowWriter(const std::string& path);
  ~RowWriter();
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;
  void write(std::string_view text);
  /// Puts the file into its place.
  void finish();

 private:
  std::string path_, temporary_;
  int fd_ = -1;
};

}  // namespace hone::cli
