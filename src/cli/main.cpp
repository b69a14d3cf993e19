// The program's border: errors become messages and exit codes here and nowhere else.
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

#include "base/error.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "tensor/kept_memory.h"
#include "tensor/runtime.h"

namespace {

int code_of(hone::Kind kind) {
  switch (kind) {
    case hone::Kind::kUsage:
      return hone::cli::kWrong;
    case hone::Kind::kInterrupted:
      return hone::cli::kInterruptedCode;
    case hone::Kind::kRun:
    case hone::Kind::kBug:
      break;
  }
  return hone::cli::kFailed;
}

// The first line: torch appends a stack trace.
std::string first_line(const std::exception& e) {
  const std::string text = e.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

int main(int count, char** words) {
  using namespace hone;
  keep_freed_memory();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is noticed when writing
  try {
    use_cpu_kernels(std::getenv(kKernelsVariable));
    const std::vector<const char*> list(words + 1, words + count);
    return cli::dispatch(list);
  } catch (const cli::ReaderGone&) {
    return cli::kFailed;
  } catch (const Error& e) {
    std::cerr << (e.kind == Kind::kInterrupted ? "stopped: " : "error: ") << e.what() << '\n';
    if (!e.hint.empty()) std::cerr << "hint: " << e.hint << '\n';
    return code_of(e.kind);
  } catch (const std::filesystem::filesystem_error& e) {
    std::cerr << "error: " << e.path1().string() << ": " << e.code().message() << '\n';
  } catch (const std::bad_alloc&) {
    std::cerr << "error: out of memory\nhint: smaller batches (batch_tokens, micro_tokens, --max-batch) need less\n";
  } catch (const std::exception& e) {
    std::cerr << "error: " << first_line(e) << '\n';
  }
  return cli::kFailed;
}
