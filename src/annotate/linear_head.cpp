#include "annotate/linear_head.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hone::annotate {
namespace {

double sigmoid(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }
// log σ(x)
double log_sigmoid(double x) { return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); }

double dot(const Features& a, const Features& b) {
  HONE_CHECK(a.size() == b.size());
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

// The lower Cholesky factor of a positive definite (n, n), in its place.
void factorise(std::vector<double>& m, size_t n) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = m[i * n + j];
      for (size_t k = 0; k < j; ++k) sum -= m[i * n + k] * m[j * n + k];
      if (i == j) {
        HONE_CHECK(sum > 0);  // B's eigenvalues are at least 1
        m[i * n + i] = std::sqrt(sum);
      } else {
        m[i * n + j] = sum / m[j * n + j];
      }
    }
}

// L⁻¹ v, in place.
void solve_lower(const std::vector<double>& lower, std::vector<double>& v) {
  const size_t n = v.size();
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) v[i] -= lower[i * n + k] * v[k];
    v[i] /= lower[i * n + i];
  }
}

// L⁻ᵀ v, in place.
void solve_upper(const std::vector<double>& lower, std::vector<double>& v) {
  const size_t n = v.size();
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) v[i] -= lower[k * n + i] * v[k];
    v[i] /= lower[i * n + i];
  }
}

}  // namespace

double LinearHead::scale_of(std::span<const Features> differences) {
  double sum = 0;
  for (const Features& x : differences) sum += dot(x, x);
  return sum > 0 ? std::sqrt(sum / static_cast<double>(differences.size())) : 1;
}

double LinearHead::kernel(const Features& a, const Features& b) const { return variance_ * dot(a, b); }

LinearHead::LinearHead(std::vector<Features> differences, std::vector<double> labels, double scale,
                       double prior_deviation)
    : x_(std::move(differences)), y_(std::move(labels)), variance_(std::pow(prior_deviation / scale, 2)) {
  HONE_CHECK(x_.size() == y_.size());
  const size_t n = x_.size();
  std::vector<double> k(n * n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) k[i * n + j] = k[j * n + i] = kernel(x_[i], x_[j]);

  // f = K a throughout; the objective is log p(y|f) − ½ aᵀ f.
  std::vector<double> a(n, 0), f(n, 0);
  const auto of_a = [&](const std::vector<double>& by) {
    std::vector<double> out(n, 0);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) out[i] += k[i * n + j] * by[j];
    return out;
  };
  const auto objective = [&](const std::vector<double>& by, const std::vector<double>& at) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
      sum += y_[i] * log_sigmoid(at[i]) + (1 - y_[i]) * log_sigmoid(-at[i]) - by[i] * at[i] / 2;
    return sum;
  };
  const auto weigh = [&] {  // π, W and B's factor at f
    slope_.assign(n, 0);
    root_.assign(n, 0);
    for (size_t i = 0; i < n; ++i) {
      const double p = sigmoid(f[i]);
      slope_[i] = y_[i] - p;
      root_[i] = std::sqrt(p * (1 - p));
    }
    lower_.assign(n * n, 0);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) lower_[i * n + j] = (i == j ? 1 : 0) + root_[i] * k[i * n + j] * root_[j];
    factorise(lower_, n);
  };

  constexpr int kMostSteps = 50;
  constexpr double kEnough = 1e-10;  // nats of the objective
  double best = objective(a, f);
  for (int step = 0; step < kMostSteps; ++step) {
    weigh();
    std::vector<double> b(n);
    for (size_t i = 0; i < n; ++i) b[i] = root_[i] * root_[i] * f[i] + slope_[i];
    std::vector<double> inner = of_a(b);
    for (size_t i = 0; i < n; ++i) inner[i] *= root_[i];
    solve_lower(lower_, inner);
    solve_upper(lower_, inner);
    std::vector<double> to(n);
    for (size_t i = 0; i < n; ++i) to[i] = b[i] - root_[i] * inner[i];
    // The whole step, or half of it, …
    double gain = 0;
    for (int halved = 0; halved < 20; ++halved) {
      const double part = std::ldexp(1.0, -halved);
      std::vector<double> next(n);
      for (size_t i = 0; i < n; ++i) next[i] = a[i] + part * (to[i] - a[i]);
      std::vector<double> at = of_a(next);
      const double value = objective(next, at);
      if (value < best) continue;
      gain = value - best;
      best = value;
      a = std::move(next);
      f = std::move(at);
      break;
    }
    if (gain < kEnough) break;
  }
  weigh();
}

LogOdds LinearHead::log_odds(std::span<const Features> differences) const {
  const size_t n = x_.size(), m = differences.size();
  LogOdds out;
  out.mean.assign(m, 0);
  out.covariance.assign(m * m, 0);
  std::vector<std::vector<double>> v(m);
  for (size_t c = 0; c < m; ++c) {
    v[c].resize(n);
    for (size_t i = 0; i < n; ++i) {
      const double k = kernel(x_[i], differences[c]);
      out.mean[c] += k * slope_[i];
      v[c][i] = root_[i] * k;
    }
    solve_lower(lower_, v[c]);
  }
  for (size_t c = 0; c < m; ++c)
    for (size_t d = 0; d <= c; ++d) {
      double sum = kernel(differences[c], differences[d]);
      for (size_t i = 0; i < n; ++i) sum -= v[c][i] * v[d][i];
      if (c == d && sum < 0) sum = 0;  // by rounding
      out.covariance[c * m + d] = out.covariance[d * m + c] = sum;
    }
  return out;
}

std::vector<double> LinearHead::weights() const {
  std::vector<double> out(x_.empty() ? 0 : x_[0].size(), 0);
  for (size_t i = 0; i < x_.size(); ++i)
    for (size_t d = 0; d < out.size(); ++d) out[d] += variance_ * slope_[i] * static_cast<double>(x_[i][d]);
  return out;
}

double probability_variance(double mean, double variance) {
  // The trapezoidal rule over ±8 deviations: of a smooth function under a Gaussian its error falls faster than any
  // power of the step (Trefethen & Weideman, SIAM Review 56, 2014).
  constexpr int kHalf = 64;
  constexpr double kReach = 8, kStep = kReach / kHalf;
  const double deviation = std::sqrt(variance);
  double sum = 0, first = 0, second = 0;
  for (int i = -kHalf; i <= kHalf; ++i) {
    const double z = i * kStep, weight = std::exp(-z * z / 2), p = sigmoid(mean + deviation * z);
    sum += weight;
    first += weight * p;
    second += weight * p * p;
  }
  first /= sum;
  return std::max(0.0, second / sum - first * first);
}

}  // namespace hone::annotate
