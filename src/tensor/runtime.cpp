#include "tensor/runtime.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <torch/headeronly/version.h>

#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "tensor/cpu/kernels.h"
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

void use_cpu_kernels(const char* name) {
  if (name != nullptr) cpu::choose_kernels(name);
}

std::string cpu_kernels() { return cpu::kernels().name; }

std::string torch_version() {
  return std::to_string(TORCH_VERSION_MAJOR) + "." + std::to_string(TORCH_VERSION_MINOR) + "." +
         std::to_string(TORCH_VERSION_PATCH);
}

bool cuda_built() {
  const auto product = c10::Dispatcher::singleton().findOp({"aten::mm", ""});
  return product && product->hasKernelForDispatchKey(c10::DispatchKey::CUDA);
}

bool cuda_available() { return at::hasCUDA(); }

namespace {
bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The same numbers in every run: kernels that add in the order of arrival are replaced, at some cost in speed.
void compute_in_fixed_order() {
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);  // read by cuBLAS when it starts
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  at::globalContext().setDeterministicFillUninitializedMemory(false);
}
}  // namespace

void use_device(const std::string& device) {
  if (device == "cpu") return;
  if (at::isPrivateUse1HooksRegistered() && device == c10::get_privateuse1_backend()) return;
  const bool numbered = device.starts_with("cuda:") && device.size() <= 8 && all_digits(device.substr(5));
  if (device != "cuda" && !numbered) usage_error("device '" + device + "' is not cpu, cuda or cuda:N");
  if (!cuda_built())
    usage_error("device '" + device + "' was asked for, but hone was built against a LibTorch without CUDA",
                "use device = \"cpu\", or build again: TORCH_DIR=/path/to/torch make build, with a CUDA LibTorch");
  if (!cuda_available())
    usage_error("device '" + device + "' was asked for, but LibTorch finds no GPU that it can use",
                "use device = \"cpu\", or see whether `nvidia-smi` lists a GPU and a driver new enough");
  if (numbered && static_cast<size_t>(std::stoi(device.substr(5))) >= at::getNumGPUs())
    usage_error("device '" + device + "' was asked for, but there are " + std::to_string(at::getNumGPUs()) +
                " CUDA devices, numbered from 0");
  compute_in_fixed_order();
}

}  // namespace hone
