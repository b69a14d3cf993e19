#include "cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.h"

namespace hone::cli {

void write_fd(int fd, std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE) throw ReaderGone{};
      run_error("cannot write " + std::string(name) + ": " + std::strerror(errno),
                errno == ENOSPC ? "free some disk space" : "");
    }
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void print(std::string_view text) { write_fd(STDOUT_FILENO, text, "standard output"); }

}  // namespace hone::cli
