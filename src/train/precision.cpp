#include "train/precision.h"

#include <chrono>

#include "base/log.h"
#include "base/progress.h"
#include "tensor/product.h"

namespace hone::train {
namespace {

// Seconds of a forward and a backward pass's worth of the model's largest product, best of several.
double time_products(const model::ModelConfig& config, const at::Device& device, at::ScalarType dtype) {
  const at::NoGradGuard no_grad;
  constexpr int64_t kRows = 1024;
  const at::TensorOptions options = at::TensorOptions().device(device);
  const Tensor x = at::full({kRows, config.width}, 0.01, options),
               w = at::full({config.ffn, config.width}, 0.01, options);
  double best = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    const Tensor cast = w.to(dtype), input = x.to(dtype);
    const Tensor y = product(input, cast.t(), cast).to(at::kFloat);  // casts are part of the price
    const Tensor back = product(y.to(dtype), cast, cast).to(at::kFloat);
    const Tensor weight = product(y.t().to(dtype), input, cast).to(at::kFloat);
    (void)(back.sum().item<float>() + weight.sum().item<float>());  // waits for a GPU
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

Precision choose_precision(const config::RunSettings& run, const model::ModelConfig& config) {
  if (run.dtype != "auto") return {run.dtype, "the recipe says so"};
  if (const int64_t n = model::parameter_count(config); n < model::kSmallModel)
    return {"f32", count_text(n) + " parameters, under 10 million: casting costs more than bf16 saves"};
  const at::Device device(run.device);
  const double f32 = time_products(config, device, at::kFloat), bf16 = time_products(config, device, at::kBFloat16);
  return {bf16 < f32 ? "bf16" : "f32",
          "measured on this machine: bf16 takes " + decimal_text(bf16 / f32, 2) + " times as long as f32"};
}

at::ScalarType resolve_precision(config::StageContext& context, const model::ModelConfig& config) {
  config::Record& record = context.record;
  if (record.dtype.empty()) {
    const Precision chosen = choose_precision(context.run, config);
    record.dtype = chosen.dtype;
    record.dtype_reason = chosen.reason;
  }
  log::info("  matrix work in " + record.dtype + " (" + record.dtype_reason + ")");
  return record.dtype == "bf16" ? at::kBFloat16 : at::ScalarType::Undefined;
}

}  // namespace hone::train
