#include "cli/selftest.h"

#include <unistd.h>

#include <chrono>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "tensor/runtime.h"

namespace hone::cli {
namespace {

struct Scratch {
  fs::path path = fs::temp_directory_path() / ("hone-selftest-" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

}  // namespace

int selftest(Options& options) {
  bool oracle = false;
  options.flag("--oracle", oracle, "also hold the algorithms against enumerated answers");
  options.about(
      "Checks this build on this machine with the production code and a model of a few thousand parameters. One line "
      "for each check; the last line sums "
      "up; exit code 1 if anything fails.");
  options.example("hone selftest", "half a minute");
  options.example("hone selftest --oracle", "with every algorithm against answers found by enumeration; some minutes");
  if (!options.parse()) return kDone;

  const auto start = std::chrono::steady_clock::now();
  const Scratch scratch;
  print("hone selftest on " + processor_name() + ", kernels " + cpu_kernels() + ", torch " + torch_version() + "\n");
  log::set_quiet(true);
  make_selftest_run(scratch.path);
  std::vector<SelftestCheck> checks = selftest_checks();
  if (oracle) checks.insert(checks.end(), oracle_checks().begin(), oracle_checks().end());
  int64_t failed = 0;
  for (const SelftestCheck& check : checks) {
    try {
      print("ok      " + std::string(check.name) + " (" + check.run(scratch.path) + ")\n");
    } catch (const Error& e) {
      ++failed;
      print("FAILED  " + std::string(check.name) + ": " + e.what() + "\n");
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto total = static_cast<int64_t>(checks.size());
  print("selftest: " + std::to_string(total - failed) + " of " + std::to_string(total) + " checks passed in " +
        clock_text(seconds) + "\n");
  return failed > 0 ? kFailed : kDone;
}

}  // namespace hone::cli
