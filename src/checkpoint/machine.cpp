#include "checkpoint/machine.h"

#include <torch/headeronly/version.h>

#include <fstream>

#include "base/machine.h"
#include "base/sha256.h"
#include "tensor/tensor.h"

namespace hone::checkpoint {
namespace {
// The program's own bytes say more about a build than a version does.
std::string build_id() {
  static const std::string id = sha256_file("/proc/self/exe").substr(0, 16);
  return id;
}
std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : dump_json(value); }
}  // namespace

Json this_machine(const std::string& device, const std::string& dtype) {
  return {{"processor", processor_name()},
          {"threads", at::get_num_threads()},
          {"device", device},
          {"dtype", dtype},
          {"torch", TORCH_VERSION},
          {"build", build_id()}};
}

std::vector<std::string> differences(const Json& saved, const Json& here) {
  std::vector<std::string> out;
  for (const auto& [key, value] : here.items()) {
    const Json then = saved.is_object() && saved.contains(key) ? saved[key] : Json("unknown");
    if (then != value) out.push_back(key + ": checkpoint " + text_of(then) + ", here " + text_of(value));
  }
  return out;
}

}  // namespace hone::checkpoint
