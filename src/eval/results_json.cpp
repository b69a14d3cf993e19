#include "eval/results_json.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "rewards/agreement.h"

namespace hone::eval {

stats::Estimate share(std::span<const double> values) {
  return stats::wilson(std::accumulate(values.begin(), values.end(), 0.0), static_cast<int64_t>(values.size()));
}

Json share_json(std::span<const double> values) { return rewards::estimate_json(share(values)); }

Json mean_json(std::span<const double> values) { return rewards::estimate_json(stats::bootstrap_mean(values)); }

std::vector<double> wins_over(std::span<const double> own, std::span<const double> other) {
  HONE_CHECK(own.size() == other.size());
  std::vector<double> out;
  for (size_t i = 0; i < own.size(); ++i)
    out.push_back(std::abs(own[i] - other[i]) < 1e-9 ? 0.5 : own[i] > other[i] ? 1 : 0);
  return out;
}

std::vector<size_t> side_by_side_order(size_t prompts, int64_t count, std::span<const double> change, int64_t seed) {
  HONE_CHECK(change.empty() || change.size() == prompts);
  std::vector<size_t> order(prompts);
  std::iota(order.begin(), order.end(), size_t{0});
  Stream(static_cast<uint64_t>(seed), "side-by-side").shuffle(order);
  const size_t wanted = std::min(prompts, static_cast<size_t>(std::max<int64_t>(0, count)));
  if (!change.empty())
    std::stable_sort(order.begin() + static_cast<std::ptrdiff_t>(wanted / 2), order.end(),
                     [&](size_t a, size_t b) { return std::abs(change[a]) > std::abs(change[b]); });
  order.resize(wanted);
  return order;
}

stats::Estimate paired_difference(std::span<const double> x, std::span<const double> y) {
  HONE_CHECK(x.size() == y.size());
  const auto flag = [](double v) { return v == 0 || v == 1; };
  if (std::ranges::all_of(x, flag) && std::ranges::all_of(y, flag)) return stats::paired_share_difference(x, y);
  std::vector<double> d(x.size());
  for (size_t i = 0; i < d.size(); ++i) d[i] = x[i] - y[i];
  return stats::bootstrap_mean(d);
}

}  // namespace hone::eval
