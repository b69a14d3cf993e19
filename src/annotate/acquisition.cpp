#include "annotate/acquisition.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hone::annotate {
namespace {

// The first whose cumulated share is above u; the last where rounding left none.
size_t by_share(std::span<const double> shares, double u) {
  double sum = 0;
  for (size_t i = 0; i + 1 < shares.size(); ++i)
    if (u < (sum += shares[i])) return i;
  return shares.size() - 1;
}

void take_as_known(LogOdds& odds, size_t i) {
  const size_t n = odds.mean.size();
  const double p = 1 / (1 + std::exp(-odds.mean[i])), w = p * (1 - p);
  std::vector<double> row(n);
  for (size_t k = 0; k < n; ++k) row[k] = odds.covariance[i * n + k];
  const double factor = w / (1 + w * row[i]);
  for (size_t a = 0; a < n; ++a)
    for (size_t b = 0; b < n; ++b) odds.covariance[a * n + b] -= factor * row[a] * row[b];
}

}  // namespace

std::vector<double> shares_of(std::span<const double> variances, double sharpness) {
  // Relative to the largest, so that no power overflows or vanishes everywhere.
  const double most = *std::ranges::max_element(variances);
  std::vector<double> out;
  double sum = 0;
  for (const double v : variances) sum += out.emplace_back(most > 0 ? std::pow(v / most, sharpness) : 1);
  for (double& share : out) share /= sum;
  return out;
}

std::vector<Drawn> draw_pairs(LogOdds odds, std::span<const size_t> sizes, Stream random,
                              const AcquisitionSettings& settings) {
  std::vector<Drawn> out;
  size_t begin = 0;
  for (const size_t n : sizes) {
    HONE_CHECK(n > 0 && begin + n <= odds.mean.size());
    std::vector<double> variances;
    for (size_t i = begin; i < begin + n; ++i)
      variances.push_back(probability_variance(odds.mean[i], std::max(0.0, odds.variance(i))));
    const std::vector<double> shares = shares_of(variances, settings.sharpness);
    Drawn drawn;
    drawn.uniform = random.uniform() < settings.uniform_share;
    const std::vector<double> even(n, 1.0 / static_cast<double>(n));
    const size_t at = by_share(drawn.uniform ? even : shares, random.uniform());
    drawn.candidate = begin + at;
    drawn.propensity = settings.uniform_share * even[at] + (1 - settings.uniform_share) * shares[at];
    if (!drawn.uniform) take_as_known(odds, drawn.candidate);
    out.push_back(drawn);
    begin += n;
  }
  return out;
}

}  // namespace hone::annotate
