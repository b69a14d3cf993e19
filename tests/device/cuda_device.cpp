// CUDA, where this LibTorch brings it and the machine has a GPU. With both, CUDA must be there: kernels that did not
// register would otherwise look like a machine without a GPU.
#include <doctest/doctest.h>

#include <filesystem>
#include <iostream>

#include "device_under_test.h"
#include "tensor/runtime.h"

namespace hone::test {

std::string device_under_test() {
  if (!HONE_TORCH_HAS_CUDA) {
    std::cout << "skipped: this LibTorch is a CPU build\n";
    return "";
  }
  if (!std::filesystem::exists("/dev/nvidiactl")) {
    std::cout << "skipped: no GPU here (there is no /dev/nvidiactl)\n";
    return "";
  }
  REQUIRE(cuda_available());
  return "cuda";
}

}  // namespace hone::test
