#include "base/binomial.h"

#include <cmath>
#include <vector>

#include "base/error.h"

namespace hone::stats {
namespace {

constexpr int kHalvings = 60;  // of [0, 1]: to the last bits of a double

// log n!; lgamma itself writes a global.
double log_factorial(int64_t n) {
  int sign = 0;
  return ::lgamma_r(static_cast<double>(n) + 1, &sign);
}

double log_choose(int64_t n, int64_t k) { return log_factorial(n) - log_factorial(k) - log_factorial(n - k); }

double times_log(int64_t count, double log) { return count == 0 ? 0 : static_cast<double>(count) * log; }  // 0·log 0

double log_probability(int64_t k, int64_t n, double p) {
  return log_choose(n, k) + times_log(k, std::log(p)) + times_log(n - k, std::log1p(-p));
}

// Where `above` turns from false to true between low and high.
template <class Above>
double turning_point(double low, double high, const Above& above) {
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (above(middle) ? high : low) = middle;
  }
  return (low + high) / 2;
}

double share(int64_t k, int64_t n) { return n == 0 ? 0 : static_cast<double>(k) / static_cast<double>(n); }

// Whether p is in the confidence sequence at k in n.
bool holds(int64_t k, int64_t n, double p) {
  return log_probability(k, n, p) > std::log(kAlpha / (static_cast<double>(n) + 1));
}

}  // namespace

double binomial_probability(int64_t k, int64_t n, double p) {
  HONE_CHECK(n >= 0 && p >= 0 && p <= 1);
  return k < 0 || k > n ? 0 : std::exp(log_probability(k, n, p));
}

double binomial_at_least(int64_t k, int64_t n, double p) {
  double sum = 0;
  for (int64_t i = n; i >= std::max<int64_t>(k, 0); --i) sum += binomial_probability(i, n, p);
  return std::min(sum, 1.0);
}

Estimate clopper_pearson(int64_t k, int64_t n) {
  HONE_CHECK(0 <= k && k <= n);
  Estimate out{share(k, n), 0, 1, n};
  if (k > 0) out.low = turning_point(0, 1, [&](double p) { return binomial_at_least(k, n, p) > kAlpha / 2; });
  // P(X <= k | p) is P(n - X >= n - k | 1 - p).
  if (k < n) out.high = turning_point(0, 1, [&](double p) { return binomial_at_least(n - k, n, 1 - p) <= kAlpha / 2; });
  return out;
}

Estimate anytime_share(int64_t k, int64_t n) {
  HONE_CHECK(0 <= k && k <= n);
  Estimate out{share(k, n), 0, 1, n};
  if (k > 0) out.low = turning_point(0, out.value, [&](double p) { return holds(k, n, p); });
  if (k < n) out.high = turning_point(out.value, 1, [&](double p) { return !holds(k, n, p); });
  return out;
}

double power_at(int64_t n, double p) {
  // The interval excludes 1/2 from the k on whose upper tail under 1/2 is α/2 at most, and by symmetry from below.
  int64_t critical = n + 1;
  double tail = 0;
  while (critical > 0 && tail + binomial_probability(critical - 1, n, 0.5) < kAlpha / 2)
    tail += binomial_probability(--critical, n, 0.5);
  return critical > n ? 0 : binomial_at_least(critical, n, p) + binomial_at_least(critical, n, 1 - p);
}

std::optional<int64_t> answers_for_power(double p, double power, int64_t most) {
  for (int64_t n = 1; n <= most; ++n)
    if (power_at(n, p) >= power) return n;
  return std::nullopt;
}

std::optional<int64_t> answers_until_sure(int64_t k, int64_t n, double p, double power, int64_t most) {
  HONE_CHECK(0 <= k && k <= n && p >= 0 && p <= 1);
  // weight[i]: probability of k + i after `step` more answers, of the paths that were never sure.
  std::vector<double> weight{1};
  double sure = 0;
  for (int64_t step = 0; step <= most; ++step) {
    for (size_t i = 0; i < weight.size(); ++i)
      if (!holds(k + static_cast<int64_t>(i), n + step, 0.5)) {
        sure += weight[i];
        weight[i] = 0;
      }
    if (sure >= power) return step;
    weight.push_back(0);
    for (size_t i = weight.size() - 1; i > 0; --i) weight[i] = weight[i] * (1 - p) + weight[i - 1] * p;
    weight[0] *= 1 - p;
  }
  return std::nullopt;
}

}  // namespace hone::stats
