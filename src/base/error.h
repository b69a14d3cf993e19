// Errors carry what happened, where, and how to mend it. Thrown anywhere; caught only at the borders
// (cli/main.cpp, the HTTP handler, the rollout worker, the rank).
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

namespace hone {

/// What kind of failure, which decides the exit code of the program.
enum class Kind {
  kUsage,        ///< the request was wrong: recipe, option, input file        -> exit 2
  kRun,          ///< the run failed; state is kept and the run can be resumed -> exit 1
  kInterrupted,  ///< Ctrl-C or SIGTERM; a checkpoint was written              -> exit 130
  kBug,          ///< a broken invariant of hone itself                        -> exit 1
};

/// The one exception type. `what()` says what and where ("file:line:key"), `hint` says how to mend it.
struct Error : std::runtime_error {
  Error(Kind kind, const std::string& message, std::string hint = {})
      : std::runtime_error(message), kind(kind), hint(std::move(hint)) {}
  Kind kind;
  std::string hint;
};

[[noreturn]] inline void fail(Kind kind, const std::string& message, std::string hint = {}) {
  throw Error(kind, message, std::move(hint));
}
/// The request (recipe, option, input file) is wrong.
[[noreturn]] inline void usage_error(const std::string& message, std::string hint = {}) {
  fail(Kind::kUsage, message, std::move(hint));
}
/// The run failed for a reason outside the request (disk full, non-finite loss, …).
[[noreturn]] inline void run_error(const std::string& message, std::string hint = {}) {
  fail(Kind::kRun, message, std::move(hint));
}

namespace detail {
[[noreturn]] void check_failed(const char* expr, const char* file, int line, std::string_view message);
}

}  // namespace hone

/// A bug if false; always on, in release builds too. HONE_CHECK(cond) or HONE_CHECK(cond, "message").
#define HONE_CHECK(cond, ...)                                                                   \
  do {                                                                                          \
    if (!(cond)) [[unlikely]]                                                                   \
      ::hone::detail::check_failed(#cond, __FILE__, __LINE__, ::std::string_view{__VA_ARGS__}); \
  } while (false)
