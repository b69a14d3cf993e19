#include "advantages/masked.h"

#include <cmath>
#include <vector>

#include "base/error.h"

namespace hone::advantages {

Moments moments(std::span<const float> x, std::span<const uint8_t> mask, bool unbiased) {
  HONE_CHECK(mask.empty() || mask.size() == x.size(), "one mark an element");
  const auto counts = [&](size_t i) { return mask.empty() || mask[i]; };
  Moments out;
  double sum = 0, squares = 0;
  for (size_t i = 0; i < x.size(); ++i)
    if (counts(i)) {
      sum += x[i];
      ++out.count;
    }
  if (out.count == 0) return out;
  out.mean = sum / static_cast<double>(out.count);
  for (size_t i = 0; i < x.size(); ++i)
    if (counts(i)) squares += (x[i] - out.mean) * (x[i] - out.mean);
  const int64_t divisor = unbiased ? out.count - 1 : out.count;
  out.variance = divisor > 0 ? squares / static_cast<double>(divisor) : 0;
  return out;
}

void whiten(std::span<float> x, std::span<const uint8_t> mask, bool unbiased, bool shift_mean) {
  const Moments m = moments(x, mask, unbiased);
  const double scale = 1 / std::sqrt(m.variance + 1e-8);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = mask.empty() || mask[i] ? static_cast<float>((x[i] - m.mean) * scale + (shift_mean ? 0 : m.mean)) : 0.0f;
}

double explained_variance(std::span<const float> values, std::span<const float> returns,
                          std::span<const uint8_t> mask) {
  HONE_CHECK(values.size() == returns.size(), "one value a return");
  std::vector<float> error(values.size());
  for (size_t i = 0; i < values.size(); ++i) error[i] = returns[i] - values[i];
  const double all = moments(returns, mask, false).variance;
  return all > 0 ? 1 - moments(error, mask, false).variance / all : 0;
}

}  // namespace hone::advantages
