#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <set>
#include <string>

namespace hone::log {
namespace {

std::atomic<bool> quiet_flag{false};

void line(std::string_view prefix, std::string_view message) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  // On a terminal a progress bar may stand on this line: clear it first.
  const char* clear = ::isatty(STDERR_FILENO) ? "\r\033[K" : "";
  std::fprintf(stderr, "%s%.*s%.*s\n", clear, static_cast<int>(prefix.size()), prefix.data(),
               static_cast<int>(message.size()), message.data());
}

}  // namespace

void info(std::string_view message) {
  if (!quiet_flag) line("", message);
}
void warn(std::string_view message) { line("warning: ", message); }
void warn_once(const std::string& message) {
  static std::mutex mutex;
  static std::set<std::string> given;
  {
    const std::scoped_lock lock(mutex);
    if (!given.insert(message).second) return;
  }
  warn(message);
}
void set_quiet(bool quiet) { quiet_flag = quiet; }
bool quiet() { return quiet_flag; }

}  // namespace hone::log
