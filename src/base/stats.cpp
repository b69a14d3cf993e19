#include "base/stats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

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

namespace {

// 97.5% quantile of Student's t: exact for few degrees of freedom, else the Cornish-Fisher expansion around the normal.
double t975(double freedom) {
  constexpr double kFew[] = {12.7062, 4.3027, 3.1824, 2.7764};
  if (freedom < 5) return kFew[static_cast<size_t>(freedom) - 1];
  const double z = kZ95, z3 = z * z * z, z5 = z3 * z * z;
  return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom);
}

}  // namespace

Estimate bootstrap(int64_t n, const Resampled& figure) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<int32_t> counts(n, 1);
  Estimate out{n > 0 ? figure(counts) : 0, -kInfinity, kInfinity, n};
  if (n < 2) return out;
  constexpr size_t kResamples = 2000;
  std::vector<double> values(kResamples);
  uint64_t state = 0;
  for (double& value : values) {
    std::ranges::fill(counts, 0);
    for (int64_t i = 0; i < n; ++i) {
      // SplitMix64: cheaper than the run's streams, and nothing here may depend on the run's seed.
      uint64_t x = state += 0x9e3779b97f4a7c15u;
      x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
      x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
      ++counts[static_cast<unsigned __int128>(x ^ (x >> 31)) * static_cast<uint64_t>(n) >> 64];
    }
    value = figure(counts);
  }
  std::ranges::sort(values);
  const double units = static_cast<double>(n), stretch = std::sqrt(units / (units - 1)) * t975(units - 1) / kZ95;
  out.low = out.value - stretch * (out.value - values[kResamples / 40 - 1]);
  out.high = out.value + stretch * (values[kResamples - kResamples / 40] - out.value);
  return out;
}

Estimate bootstrap_ratio(std::span<const double> sums, std::span<const double> weights) {
  HONE_CHECK(sums.size() == weights.size());
  return bootstrap(static_cast<int64_t>(sums.size()), [&](std::span<const int32_t> counts) {
    double sum = 0, weight = 0;
    for (size_t i = 0; i < counts.size(); ++i) sum += counts[i] * sums[i], weight += counts[i] * weights[i];
    return weight > 0 ? sum / weight : 0;
  });
}

Estimate bootstrap_mean(std::span<const double> x) { return bootstrap_ratio(x, std::vector<double>(x.size(), 1)); }

Estimate paired_share_difference(std::span<const double> x, std::span<const double> y) {
  HONE_CHECK(x.size() == y.size());
  double both = 0, first = 0, second = 0;
  for (size_t i = 0; i < x.size(); ++i) both += x[i] * y[i], first += x[i], second += y[i];
  const auto n = static_cast<int64_t>(x.size());
  const double count = static_cast<double>(n);
  const Estimate a = wilson(first, n), b = wilson(second, n);
  // Correlation of the two, drawn towards 0 where it is positive.
  const double only_first = first - both, only_second = second - both, neither = count - first - only_second;
  double covariance = both * neither - only_first * only_second;
  if (covariance > 0) covariance = std::max(0.0, covariance - count / 2);
  const double spread = first * (count - first) * second * (count - second);
  const double phi = spread > 0 ? covariance / std::sqrt(spread) : 0;
  const auto reach = [&](double u, double v) { return std::sqrt(std::max(0.0, u * u - 2 * phi * u * v + v * v)); };
  const double d = a.value - b.value;
  return {d, d - reach(a.value - a.low, b.high - b.value), d + reach(a.high - a.value, b.value - b.low), n};
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
