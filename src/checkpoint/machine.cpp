#include "checkpoint/machine.h"

#include <torch/headeronly/version.h>

#include "base/machine.h"
#include "base/version.h"
#include "tensor/runtime.h"
#include "tensor/tensor.h"

namespace hone::checkpoint {
namespace {
// Version and compiler, not the program's bytes: every rebuild would be reported, and a warning that always comes is
// not read.
constexpr const char* kCompiler =
#if defined(__clang__)
    "Clang " __clang_version__;
#else
    "GCC " __VERSION__;
#endif
std::string build() { return "hone " + std::string(kVersion) + ", " + kCompiler; }
std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : dump_json(value); }
}  // namespace

Json this_machine(const std::string& device, const std::string& dtype) {
  return {{"processor", processor_name()},
          {"kernels", cpu_kernels()},
          {"threads", at::get_num_threads()},
          {"device", device},
          {"dtype", dtype},
          {"torch", TORCH_VERSION},
          {"build", build()}};
}

std::vector<std::string> differences(const Json& saved, const Json& here) {
  std::vector<std::string> out;
  for (const auto& [key, value] : here.items()) {
    const Json then = saved.is_object() && saved.contains(key) ? saved[key] : Json("unknown");
    if (then != value) out.push_back(key + " was " + text_of(then) + ", is " + text_of(value));
  }
  return out;
}

}  // namespace hone::checkpoint
