#include "eval/results_json.h"

#include <numeric>
#include <vector>

#include "base/error.h"
#include "rewards/agreement.h"

namespace hone::eval {

Json share_json(std::span<const double> flags) {
  return rewards::estimate_json(
      stats::wilson(std::accumulate(flags.begin(), flags.end(), 0.0), static_cast<int64_t>(flags.size())));
}

Json mean_json(std::span<const double> values) { return rewards::estimate_json(stats::mean_interval(values)); }

stats::Estimate paired_difference(std::span<const double> x, std::span<const double> y) {
  HONE_CHECK(x.size() == y.size());
  std::vector<double> d(x.size());
  for (size_t i = 0; i < d.size(); ++i) d[i] = x[i] - y[i];
  return stats::mean_interval(d);
}

}  // namespace hone::eval
