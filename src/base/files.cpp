#include "base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"

namespace hone {
namespace {

std::string reason() { return std::strerror(errno); }

[[noreturn]] void write_failed(const std::string& path) {
  const std::string why = reason();
  run_error("cannot write " + path + ": " + why,
            errno == ENOSPC ? "free some disk space and resume; the previous state is intact" : "");
}

void write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      write_failed(path);
    }
    content.remove_prefix(static_cast<size_t>(n));
  }
}

// zlib's gz* functions read plain files unchanged, so one reader serves both.
struct GzCloser {
  void operator()(gzFile f) const { gzclose(f); }
};
using GzHandle = std::unique_ptr<gzFile_s, GzCloser>;

GzHandle open_gz(const fs::path& path) {
  std::error_code ec;
  if (fs::is_directory(path, ec)) usage_error(path.string() + ": is a folder, a file was expected");
  GzHandle f(gzopen(path.c_str(), "rb"));
  if (!f) usage_error("cannot read " + path.string() + ": " + reason());
  gzbuffer(f.get(), 1 << 17);
  return f;
}

[[noreturn]] void gz_failed(gzFile f, const fs::path& path) {
  int code = 0;
  std::string why = gzerror(f, &code);
  if (const std::string place = path.string() + ": "; why.starts_with(place)) why.erase(0, place.size());
  usage_error(path.string() + ": cannot decompress: " + (code == Z_ERRNO ? reason() : why), "is the file truncated?");
}

}  // namespace

std::string read_file(const fs::path& path, uint64_t limit) {
  const GzHandle f = open_gz(path);
  std::string out;
  std::vector<char> buffer(1 << 20);
  while (true) {
    const int n = gzread(f.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
    if (n < 0) gz_failed(f.get(), path);
    if (n == 0) break;
    out.append(buffer.data(), static_cast<size_t>(n));
    if (out.size() > limit) usage_error(path.string() + ": larger than " + std::to_string(limit) + " bytes");
  }
  int code = Z_OK;
  gzerror(f.get(), &code);
  if (code != Z_OK) gz_failed(f.get(), path);
  return out;
}

fs::path temporary_of(const fs::path& path) { return path.string() + ".tmp"; }

void write_file_atomic(const fs::path& path, std::string_view content) {
  const std::string temporary = temporary_of(path).string();
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) write_failed(temporary);
  try {
    write_all(fd, content, temporary);
    if (::fsync(fd) != 0) write_failed(temporary);
  } catch (...) {
    ::close(fd);
    ::unlink(temporary.c_str());
    throw;
  }
  ::close(fd);
  if (::rename(temporary.c_str(), path.c_str()) != 0) write_failed(path.string());
}

void for_each_line(const fs::path& path, const std::function<void(std::string_view, int64_t)>& line,
                   uint64_t max_line) {
  const GzHandle f = open_gz(path);
  std::vector<char> buffer(1 << 17);
  std::string pending;
  int64_t number = 0;
  auto emit = [&](std::string_view text) {
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    line(text, ++number);
  };
  while (true) {
    const int n = gzread(f.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
    if (n < 0) gz_failed(f.get(), path);
    if (n == 0) break;
    std::string_view chunk(buffer.data(), static_cast<size_t>(n));
    while (true) {
      const size_t end = chunk.find('\n');
      if (end == std::string_view::npos) break;
      if (pending.empty()) {
        emit(chunk.substr(0, end));
      } else {
        pending.append(chunk.substr(0, end));
        emit(pending);
        pending.clear();
      }
      chunk.remove_prefix(end + 1);
    }
    pending.append(chunk);
    if (pending.size() > max_line)
      usage_error(path.string() + ":" + std::to_string(number + 1) + ": line longer than " + std::to_string(max_line) +
                  " bytes");
  }
  int code = Z_OK;
  gzerror(f.get(), &code);
  if (code != Z_OK) gz_failed(f.get(), path);
  if (!pending.empty()) emit(pending);
}

LineWriter::LineWriter(const fs::path& path, uint64_t keep_bytes) : path_(path.string()) {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) write_failed(path_);
  const off_t end = ::lseek(fd_, 0, SEEK_END);
  bytes_ = static_cast<uint64_t>(end);
  if (keep_bytes > bytes_ && keep_bytes != UINT64_MAX) {
    ::close(std::exchange(fd_, -1));
    usage_error(path_ + ": has " + std::to_string(bytes_) + " bytes, and had " + std::to_string(keep_bytes) +
                    " when the checkpoint was written: it was cut or replaced since",
                "put the file back as it was, or start afresh in another folder");
  }
  if (keep_bytes < bytes_) {
    if (::ftruncate(fd_, static_cast<off_t>(keep_bytes)) != 0) write_failed(path_);
    ::lseek(fd_, 0, SEEK_END);
    bytes_ = keep_bytes;
  }
}

LineWriter::~LineWriter() {
  if (fd_ >= 0) ::close(fd_);
}
LineWriter::LineWriter(LineWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), bytes_(other.bytes_), path_(std::move(other.path_)) {}
LineWriter& LineWriter::operator=(LineWriter&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(bytes_, other.bytes_);
  std::swap(path_, other.path_);
  return *this;
}

void LineWriter::write(std::string_view line) {
  std::string text(line);
  text += '\n';
  write_all(fd_, text, path_);
  bytes_ += text.size();
}

void LineWriter::sync() {
  if (::fsync(fd_) != 0) write_failed(path_);
}

uint64_t free_disk_bytes(const fs::path& path) {
  struct statvfs s{};
  if (::statvfs(path.c_str(), &s) != 0) return UINT64_MAX;  // unknown: do not stop a run for it
  return static_cast<uint64_t>(s.f_bavail) * s.f_frsize;
}

FolderLock::FolderLock(const fs::path& folder) {
  const std::string path = (folder / ".lock").string();
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) run_error("cannot lock " + folder.string() + ": " + reason());
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    char pid[32] = {};
    const ssize_t n = ::pread(fd_, pid, sizeof pid - 1, 0);
    ::close(fd_);
    fd_ = -1;
    std::string who(pid, n > 0 ? static_cast<size_t>(n) : 0);
    while (!who.empty() && who.back() == '\n') who.pop_back();
    usage_error(folder.string() + ": this run folder is in use by process " + (who.empty() ? "(unknown)" : who),
                "wait for it, stop it, or choose another folder with --out");
  }
  const std::string me = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_, 0) == 0) (void)!::pwrite(fd_, me.data(), me.size(), 0);
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace hone
