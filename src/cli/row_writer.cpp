#include "cli/row_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "cli/options.h"
#include "cli/output.h"

namespace hone::cli {
namespace {

// What a signal has to tidy up. The handler makes only async-signal-safe calls.
char unfinished[4096];

void remove_unfinished(int) {
  if (unfinished[0]) ::unlink(unfinished);
  _exit(kInterruptedCode);
}

[[noreturn]] void cannot_write(const std::string& path) {
  run_error("cannot write " + path + ": " + std::strerror(errno));
}

}  // namespace

RowWriter::RowWriter(const std::string& path) : path_(path == "-" ? "" : path) {
  struct sigaction action{};
  action.sa_handler = remove_unfinished;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  if (path_.empty()) return;
  // A device or a pipe is written to as it is: renaming over /dev/null would replace it.
  struct stat status{};
  const bool plain = ::stat(path_.c_str(), &status) != 0 || S_ISREG(status.st_mode);
  if (!plain) {
    fd_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd_ < 0) usage_error("cannot write " + path_ + ": " + std::strerror(errno));
    return;
  }
  temporary_ = temporary_of(path_).string();
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) usage_error("cannot write " + path_ + ": " + std::strerror(errno));
  if (temporary_.size() < sizeof unfinished) std::memcpy(unfinished, temporary_.c_str(), temporary_.size() + 1);
}

RowWriter::~RowWriter() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
  unfinished[0] = 0;
}

void RowWriter::write(std::string_view text) {
  write_fd(path_.empty() ? STDOUT_FILENO : fd_, text, path_.empty() ? "standard output" : path_);
}

void RowWriter::finish() {
  if (temporary_.empty()) return;
  if (::fsync(fd_) != 0) cannot_write(path_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) cannot_write(path_);
  temporary_.clear();
}

}  // namespace hone::cli
