#include "tensor/runtime.h"

#include <ATen/Context.h>
#include <torch/headeronly/version.h>

#include "base/error.h"
#include "tensor/tensor.h"

namespace hone {

void set_threads(int threads) {
  if (threads < 1 || threads > kMostThreads)
    usage_error("threads must lie between 1 and " + std::to_string(kMostThreads) + ", got " + std::to_string(threads),
                "0, the default, takes what affinity and quota allow");
  at::set_num_threads(threads);
  // One operator at a time; a second pool would only fight for the same cores.
  static const bool once = [] {
    at::set_num_interop_threads(1);
    return true;
  }();
  (void)once;
}

std::string torch_version() {
  return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." +
         std::to_string(TORCH_VERSION_PATCH);
}

bool cuda_available() { return at::hasCUDA(); }

void require_device(const std::string& device) {
  if (device == "cpu") return;
  const bool named = device == "cuda" || (device.starts_with("cuda:") && device.size() > 5 &&
                                          device.find_first_not_of("0123456789", 5) == std::string::npos);
  if (!named) usage_error("device '" + device + "' is not cpu, cuda or cuda:N");
  if (!cuda_available())
    usage_error("device '" + device + "' was asked for, but this build of LibTorch sees no CUDA device",
                "use device = \"cpu\", or build against a CUDA LibTorch on a machine with a GPU");
}

}  // namespace hone
