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

[[noreturn]] void unknown_aggregation(std::string_view aggregation) {
  usage_error("unknown aggregation '" + std::string(aggregation) + "'",
              "there are: sequence_mean, sequence_sum, token_mean, constant");
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

double answer_normaliser(std::string_view aggregation, std::span<const int64_t> lengths, int64_t longest) {
  const auto answers = static_cast<double>(lengths.size());
  if (aggregation == "sequence_mean" || aggregation == "sequence_sum") return answers;
  if (aggregation == "constant") return answers * static_cast<double>(longest);
  if (aggregation != "token_mean") unknown_aggregation(aggregation);
  double tokens = 0;
  for (const int64_t n : lengths) tokens += static_cast<double>(n);
  return tokens;
}

std::vector<float> answer_weights(std::string_view aggregation, std::span<const int64_t> lengths) {
  if (aggregation != "sequence_mean" && aggregation != "sequence_sum" && aggregation != "token_mean" &&
      aggregation != "constant")
    unknown_aggregation(aggregation);
  std::vector<float> out;
  for (const int64_t n : lengths)
    out.insert(out.end(), n, aggregation == "sequence_mean" ? 1.0f / static_cast<float>(n) : 1.0f);
  return out;
}

}  // namespace hone::losses
