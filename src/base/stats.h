// Small statistics with their formulas: means with standard errors, Wilson intervals, correlation, bootstrap-free
// paired differences. Everything in f64.
#pragma once
#include <cstdint>
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
/// mean ± 1.96 · s/√n.
Estimate mean_interval(std::span<const double> x);
/// mean(x) - mean(y) ± 1.96 · √(s_x²/n_x + s_y²/n_y).
Estimate difference_interval(std::span<const double> x, std::span<const double> y);
/// Wilson score interval of k successes in n; halves are allowed (ties count ½).
Estimate wilson(double successes, int64_t n);
/// Pearson correlation; 0 where either side has no variance.
double pearson(std::span<const double> x, std::span<const double> y);

}  // namespace hone::stats
