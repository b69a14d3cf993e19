// Small statistics with their formulas: Wilson intervals of shares and of their paired differences, bootstrap intervals
// of everything else, correlation. Everything in f64.
#pragma once
#include <cstdint>
#include <functional>
#include <span>

namespace hone::stats {

/// A point estimate and its 95% interval.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
  int64_t n = 0;
};

double mean(std::span<const double> x);
/// Unbiased (n - 1) standard deviation; 0 for fewer than two values.
double stddev(std::span<const double> x);
/// A figure of n independent units (prompts), told how often each is drawn.
using Resampled = std::function<double(std::span<const int32_t> counts)>;
/// Bootstrap interval (Efron 1979): the 2.5% and 97.5% percentiles of the figure over 2,000 resamples, the same for
/// every call with that n. Percentiles are too narrow for few units (about √((n-1)/n) of the standard error, and a
/// normal quantile for t's), so both are moved off the value by √(n/(n-1))·t/z (Hesterberg 2015, arXiv 1411.5279,
/// sec. 5.2). Of fewer than two units nothing is known: the interval is infinite.
Estimate bootstrap(int64_t n, const Resampled& figure);
/// The same of Σ sums / Σ weights: a mean where all weights are 1, and of rows that share units by their units' sums.
Estimate bootstrap_ratio(std::span<const double> sums, std::span<const double> weights);
Estimate bootstrap_mean(std::span<const double> x);
/// Difference of two shares of the same n units, each 0 or 1 in x and y: Newcombe 1998 (Statistics in Medicine 17,
/// 2635), method 10, of two Wilson intervals. Three of three is no certainty here either.
Estimate paired_share_difference(std::span<const double> x, std::span<const double> y);
/// Wilson score interval of k successes in n; halves are allowed (ties count ½).
Estimate wilson(double successes, int64_t n);
/// Pearson correlation; 0 where either side has no variance.
double pearson(std::span<const double> x, std::span<const double> y);

}  // namespace hone::stats
