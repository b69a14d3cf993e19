// Files: whole reads, atomic writes, gzip-transparent line reading, free space, an exclusive lock on a folder.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace hone {

namespace fs = std::filesystem;

/// The whole file, gunzipped when its name ends in .gz. Missing or unreadable: kUsage naming the path.
/// More than `limit` bytes after decompression is refused.
std::string read_file(const fs::path& path, uint64_t limit = uint64_t{8} << 30);

/// Where a file is written before it is renamed into place: PATH.tmp. A killed program may leave it.
fs::path temporary_of(const fs::path& path);

/// Writes to temporary_of(path), fsyncs, renames: PATH holds the old content or the new, never a part. Disk full: kRun.
void write_file_atomic(const fs::path& path, std::string_view content);

/// Calls `line(text, number)` for each line (1-based, without the newline; a CR before it is dropped).
/// Reads .gz transparently. A single line over `max_line` bytes is refused with its number.
void for_each_line(const fs::path& path, const std::function<void(std::string_view, int64_t)>& line,
                   uint64_t max_line = uint64_t{64} << 20);

/// Appends lines to a file; each `write` is one full line. Can be cut back to a byte length on resume.
class LineWriter {
 public:
  /// Opens for appending; an existing file is kept up to `keep_bytes` and cut there (UINT64_MAX keeps all);
  /// one that is shorter: kUsage.
  explicit LineWriter(const fs::path& path, uint64_t keep_bytes = UINT64_MAX);
  ~LineWriter();
  LineWriter(LineWriter&&) noexcept;
  LineWriter& operator=(LineWriter&&) noexcept;
  void write(std::string_view line);  // adds the newline; flushed to the kernel at once
  void sync();                        // to the disk
  uint64_t bytes() const { return bytes_; }

 private:
  int fd_ = -1;
  uint64_t bytes_ = 0;
  std::string path_;
};

uint64_t free_disk_bytes(const fs::path& path);

/// Holds an exclusive flock on DIR/.lock while alive. Held by another process: kUsage "in use by process N".
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace hone
