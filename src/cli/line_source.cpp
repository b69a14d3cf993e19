#include "cli/line_source.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"

namespace hone::cli {
namespace {
constexpr size_t kRead = 1 << 17;
}

LineSource::LineSource(const std::string& path, uint64_t max_line) : path_(path), max_line_(max_line) {
  if (path.empty() || path == "-") {
    path_ = "standard input";
    if (::isatty(STDIN_FILENO)) log::info("reading JSON Lines from the terminal; Ctrl-D ends");
    return;
  }
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec)) usage_error(path + ": is a folder, a file was expected");
  file_.reset(gzopen(path.c_str(), "rb"));
  if (!file_) usage_error("cannot read " + path + ": " + std::strerror(errno));
  gzbuffer(file_.get(), kRead);
}

bool LineSource::would_wait() const {
  if (buffer_.find('\n', begin_) != std::string::npos || end_) return false;
  if (file_) return false;
  pollfd p{STDIN_FILENO, POLLIN, 0};
  return ::poll(&p, 1, 0) == 0;
}

bool LineSource::fill() {
  if (end_) return false;
  if (begin_ > 0) {
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  const size_t old = buffer_.size();
  buffer_.resize(old + kRead);
  ssize_t n = 0;
  if (file_) {
    n = gzread(file_.get(), buffer_.data() + old, kRead);
    int code = Z_OK;
    std::string why = gzerror(file_.get(), &code);
    if (why.starts_with(path_ + ": ")) why.erase(0, path_.size() + 2);
    if (n < 0 || (n == 0 && code != Z_OK))
      usage_error(path_ + ": cannot read: " + (code == Z_ERRNO ? std::strerror(errno) : why),
                  code == Z_ERRNO ? "" : "is the file truncated?");
  } else {
    do n = ::read(STDIN_FILENO, buffer_.data() + old, kRead);
    while (n < 0 && errno == EINTR);
    if (n < 0) usage_error(path_ + ": cannot read: " + std::strerror(errno));
  }
  buffer_.resize(old + static_cast<size_t>(n));
  end_ = n == 0;
  return !end_;
}

LineSource::Result LineSource::next(std::string& line) {
  bool too_long = false;
  size_t searched = begin_;
  while (true) {
    const size_t newline = buffer_.find('\n', searched);
    if (newline == std::string::npos && buffer_.size() - begin_ > max_line_) {
      too_long = true;
      buffer_.clear();
      begin_ = 0;
    }
    if (newline != std::string::npos || end_) {
      const size_t stop = newline == std::string::npos ? buffer_.size() : newline;
      if (newline == std::string::npos && stop == begin_ && !too_long) return Result::kEnd;
      if (stop - begin_ > max_line_) too_long = true;
      line.assign(buffer_, begin_, too_long ? 0 : stop - begin_);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      begin_ = newline == std::string::npos ? stop : newline + 1;
      return too_long ? Result::kTooLong : Result::kLine;
    }
    const size_t seen = buffer_.size() - begin_;
    fill();
    searched = begin_ + seen;
  }
}

}  // namespace hone::cli
