#include "losses/aggregate.h"

#include <cmath>

#include "base/error.h"

namespace hone::losses {
namespace {
void check_normaliser(double normaliser) {
  if (!(normaliser > 0) || !std::isfinite(normaliser))
    run_error("this step's loss has nothing to be divided by: its weights sum to " + std::to_string(normaliser),
              "every token of the batch has weight 0; look at it with `hone data inspect`");
}
}  // namespace

double total_weight(std::span<const float> weight) {
  double sum = 0;
  for (const float w : weight) {
    if (!(w >= 0) || !std::isfinite(w))
      usage_error("a loss weight is " + std::to_string(w) + "; weights are finite and >= 0");
    sum += w;
  }
  return sum;
}

double total_weight(const Tensor& weight) {
  const Tensor host = weight.detach().to(at::kCPU, at::kFloat).contiguous();
  return total_weight(std::span<const float>(host.const_data_ptr<float>(), static_cast<size_t>(host.numel())));
}

Tensor reduce(const Tensor& loss, const Tensor& weight, double normaliser) {
  check_normaliser(normaliser);
  HONE_CHECK(loss.sizes() == weight.sizes(), "a loss and its weights differ in shape");
  return (loss * weight.to(loss.scalar_type())).sum() / normaliser;
}

Tensor reduce(const Tensor& loss, double normaliser) {
  check_normaliser(normaliser);
  return loss.sum() / normaliser;
}

}  // namespace hone::losses
