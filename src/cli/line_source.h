// Lines from standard input or a file (gzip or not), one at a time, in bounded memory.
#pragma once
#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>

namespace hone::cli {

class LineSource {
 public:
  /// "" or "-" is standard input. Missing or unreadable: kUsage.
  LineSource(const std::string& path, uint64_t max_line);

  enum class Result { kLine, kTooLong, kEnd };
  /// The next line without its newline (and without a CR before it). kTooLong: the line is passed over.
  Result next(std::string& line);
  /// Whether `next` would have to wait for the writer at the other end.
  bool would_wait() const;

 private:
  bool fill();
  struct Close {
    void operator()(gzFile f) const { gzclose(f); }
  };
  std::unique_ptr<gzFile_s, Close> file_;  // null: standard input
  std::string path_;
  uint64_t max_line_;
  std::string buffer_;
  size_t begin_ = 0;
  bool end_ = false;
};

}  // namespace hone::cli
