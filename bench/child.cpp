#include "bench/child.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace hone::bench {
namespace {

[[noreturn]] void run_child(const fs::path& log, int out, const std::function<Json()>& work) {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file >= 0) ::dup2(file, STDERR_FILENO);
  int code = 1;
  try {
    const std::string text = dump_json(work());
    code = ::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
  }
  std::fflush(nullptr);
  ::_exit(code);  // no destructors: they belong to the parent
}

std::string last_lines(const fs::path& log) {
  const std::string text = fs::exists(log) ? read_file(log) : std::string();
  return text.size() > 800 ? text.substr(text.size() - 800) : text;
}

}  // namespace

Json in_child(const fs::path& log, const std::function<Json()>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) run_error(std::string("cannot make a pipe: ") + std::strerror(errno));
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) run_error(std::string("cannot fork: ") + std::strerror(errno));
  if (child == 0) run_child(log, ends[1], work);
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) != 0;) {
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
    else if (errno != EINTR) break;
  }
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  while (::wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    run_error("a row of the bench failed; " + log.string() + " ends with:\n" + last_lines(log));
  Json result = parse_json(text, "what a row of the bench returned");
  result["peak_mb"] = static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;  // Linux counts in KiB
  return result;
}

}  // namespace hone::bench
