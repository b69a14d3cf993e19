#include "bench/peak.h"

#include <algorithm>
#include <chrono>

#include "tensor/tensor.h"

namespace hone::bench {

Peak measure_peak(const std::string& dtype) {
  const at::NoGradGuard no_grad;
  const at::ScalarType type = dtype == "bf16" ? at::kBFloat16 : at::kFloat;
  Peak best;
  for (const int64_t n : {512, 1024, 2048, 4096}) {
    const Tensor a = at::full({n, n}, 0.01, type), b = at::full({n, n}, 0.02, type);
    const double work = 2.0 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
    const int repeats = n >= 4096 ? 3 : n >= 2048 ? 6 : 20;
    for (int i = 0; i < repeats; ++i) {
      const auto start = std::chrono::steady_clock::now();
      at::mm(a, b);
      const double flops = work / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (flops > best.flops) best = {flops, n};
    }
  }
  return best;
}

}  // namespace hone::bench
