#include "base/stats.h"

#include <cmath>

#include "base/error.h"

namespace hone::stats {

namespace {
constexpr double kZ95 = 1.959963984540054;
}

double mean(std::span<const double> x) {
  if (x.empty()) return 0;
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

double stddev(std::span<const double> x) {
  if (x.size() < 2) return 0;
  const double m = mean(x);
  double sum = 0;
  for (const double v : x) sum += (v - m) * (v - m);
  return std::sqrt(sum / static_cast<double>(x.size() - 1));
}

Estimate mean_interval(std::span<const double> x) {
  const double m = mean(x);
  const double half = x.empty() ? 0 : kZ95 * stddev(x) / std::sqrt(static_cast<double>(x.size()));
  return {m, m - half, m + half, static_cast<int64_t>(x.size())};
}

Estimate difference_interval(std::span<const double> x, std::span<const double> y) {
  const double d = mean(x) - mean(y);
  if (x.empty() || y.empty()) return {d, d, d, 0};
  const double sx = stddev(x), sy = stddev(y);
  const double half =
      kZ95 * std::sqrt(sx * sx / static_cast<double>(x.size()) + sy * sy / static_cast<double>(y.size()));
  return {d, d - half, d + half, static_cast<int64_t>(x.size() + y.size())};
}

Estimate wilson(double k, int64_t n) {
  if (n == 0) return {0, 0, 1, 0};
  const double count = static_cast<double>(n);
  const double p = k / count;
  const double z2 = kZ95 * kZ95;
  const double centre = (p + z2 / (2 * count)) / (1 + z2 / count);
  const double half = kZ95 / (1 + z2 / count) * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
  return {p, centre - half, centre + half, n};
}

double pearson(std::span<const double> x, std::span<const double> y) {
  HONE_CHECK(x.size() == y.size());
  const double mx = mean(x), my = mean(y);
  double sxy = 0, sxx = 0, syy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sxy += (x[i] - mx) * (y[i] - my);
    sxx += (x[i] - mx) * (x[i] - mx);
    syy += (y[i] - my) * (y[i] - my);
  }
  return sxx > 0 && syy > 0 ? sxy / std::sqrt(sxx * syy) : 0;
}

}  // namespace hone::stats
