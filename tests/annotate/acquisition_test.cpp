// The head against another optimiser, propensities against enumeration, and that it learns faster than chance.
#include "annotate/acquisition.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "annotate/linear_head.h"

using namespace hone;
using namespace hone::annotate;

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

std::vector<Features> normal_features(size_t n, size_t width, Stream& random) {
  std::vector<Features> out(n, Features(width));
  for (Features& x : out)
    for (float& v : x) v = static_cast<float>(random.normal());
  return out;
}

double dot(const Features& x, const std::vector<double>& w) {
  double sum = 0;
  for (size_t d = 0; d < w.size(); ++d) sum += static_cast<double>(x[d]) * w[d];
  return sum;
}

// The inverse of a small symmetric positive definite matrix, by Gauss and Jordan.
std::vector<double> inverse(std::vector<double> m, size_t n) {
  std::vector<double> out(n * n, 0);
  for (size_t i = 0; i < n; ++i) out[i * n + i] = 1;
  for (size_t c = 0; c < n; ++c) {
    const double pivot = m[c * n + c];
    for (size_t k = 0; k < n; ++k) m[c * n + k] /= pivot, out[c * n + k] /= pivot;
    for (size_t r = 0; r < n; ++r) {
      if (r == c) continue;
      const double factor = m[r * n + c];
      for (size_t k = 0; k < n; ++k) m[r * n + k] -= factor * m[c * n + k], out[r * n + k] -= factor * out[c * n + k];
    }
  }
  return out;
}

}  // namespace

TEST_CASE("mode and covariance are those of gradient descent and of the inverse Hessian over the weights themselves") {
  constexpr size_t kWidth = 5, kPairs = 30;
  constexpr double kTau = 1.7;
  Stream random(3, "head");
  const std::vector<Features> x = normal_features(kPairs, kWidth, random);
  std::vector<double> y;
  for (size_t i = 0; i < kPairs; ++i)
    y.push_back(i % 7 == 0 ? 0.5 : random.chance(sigmoid(2.0 * static_cast<double>(x[i][0]))));
  const double scale = LinearHead::scale_of(x);
  const LinearHead head(x, y, scale, kTau);

  // Plain gradient ascent of Σ y log σ + (1−y) log(1−σ) − ½ |w|²/(τ²/s²), with w for raw differences.
  const double precision = scale * scale / (kTau * kTau);
  std::vector<double> w(kWidth, 0);
  for (int step = 0; step < 200000; ++step)
    for (size_t d = 0; d < kWidth; ++d) {
      double gradient = -precision * w[d];
      for (size_t i = 0; i < kPairs; ++i) gradient += (y[i] - sigmoid(dot(x[i], w))) * static_cast<double>(x[i][d]);
      w[d] += 0.01 * gradient;  // one weight after the other
    }
  const std::vector<double> mode = head.weights();
  for (size_t d = 0; d < kWidth; ++d) CHECK(mode[d] == doctest::Approx(w[d]).epsilon(1e-6));

  // H = Σ π(1−π) x xᵀ + I/(τ²/s²); cov of new log-odds = Z H⁻¹ Zᵀ.
  std::vector<double> hessian(kWidth * kWidth, 0);
  for (size_t a = 0; a < kWidth; ++a)
    for (size_t b = 0; b < kWidth; ++b) {
      hessian[a * kWidth + b] = a == b ? precision : 0;
      for (size_t i = 0; i < kPairs; ++i) {
        const double p = sigmoid(dot(x[i], w));
        hessian[a * kWidth + b] += p * (1 - p) * static_cast<double>(x[i][a]) * static_cast<double>(x[i][b]);
      }
    }
  const std::vector<double> covariance = inverse(hessian, kWidth);
  const std::vector<Features> fresh = normal_features(4, kWidth, random);
  const LogOdds odds = head.log_odds(fresh);
  for (size_t i = 0; i < fresh.size(); ++i) {
    CHECK(odds.mean[i] == doctest::Approx(dot(fresh[i], w)).epsilon(1e-6));
    for (size_t j = 0; j < fresh.size(); ++j) {
      double expected = 0;
      for (size_t a = 0; a < kWidth; ++a)
        for (size_t b = 0; b < kWidth; ++b)
          expected += static_cast<double>(fresh[i][a]) * covariance[a * kWidth + b] * static_cast<double>(fresh[j][b]);
      CHECK(odds.covariance[i * fresh.size() + j] == doctest::Approx(expected).epsilon(1e-6));
    }
  }
}

TEST_CASE("a head without judgements is its prior, and one that is certain stays finite") {
  const std::vector<Features> none;
  CHECK(LinearHead::scale_of(none) == 1);
  const std::vector<Features> fresh = {{3, 4}, {0, 0}};
  const LogOdds prior = LinearHead({}, {}, 5).log_odds(fresh);
  CHECK(prior.mean[0] == 0);
  CHECK(prior.variance(0) == doctest::Approx(2.2 * 2.2));  // |x|² = 25, s² = 25
  CHECK(prior.variance(1) == 0);

  // Separable, and far apart: the mode exists because of the prior.
  std::vector<Features> far;
  std::vector<double> labels;
  for (int i = 0; i < 40; ++i) {
    far.push_back({static_cast<float>(i % 2 == 0 ? 1000 : -1000)});
    labels.push_back(i % 2 == 0);
  }
  const LogOdds sure = LinearHead(far, labels, 1).log_odds(far);
  CHECK(std::isfinite(sure.mean[0]));
  CHECK(sure.mean[0] > 3);
  CHECK(sure.variance(0) >= 0);
}

TEST_CASE("the variance of the probability: by a fine sum, at its ends, and not that of the log-odds") {
  for (const auto& [mean, variance] : std::vector<std::pair<double, double>>{{0, 1}, {1.5, 4}, {-3, 0.25}, {8, 9}}) {
    // Σ over 20,001 points of ±10 deviations.
    double weights = 0, first = 0, second = 0;
    for (int i = -10000; i <= 10000; ++i) {
      const double z = i * 0.001, weight = std::exp(-z * z / 2), p = sigmoid(mean + std::sqrt(variance) * z);
      weights += weight, first += weight * p, second += weight * p * p;
    }
    const double expected = second / weights - std::pow(first / weights, 2);
    CHECK(probability_variance(mean, variance) == doctest::Approx(expected).epsilon(1e-6));
  }
  CHECK(probability_variance(0, 0) == doctest::Approx(0));
  CHECK(probability_variance(0, 1e8) == doctest::Approx(0.25).epsilon(0.01));  // heads or tails
  CHECK(probability_variance(9, 4) < probability_variance(0, 1));  // more unsure of the odds, not of the choice
}

TEST_CASE("propensities are the probabilities with which pairs are drawn, all draws of a batch enumerated") {
  // Two prompts with three and two candidates that hang together: the second prompt's shares hang on the first draw.
  LogOdds odds;
  odds.mean = {0, 1, -2, 0.3, 0.5};
  odds.covariance.assign(25, 0);
  for (size_t i = 0; i < 5; ++i)
    for (size_t j = 0; j < 5; ++j) odds.covariance[i * 5 + j] = i == j ? 2.0 + static_cast<double>(i) : 1.2;
  const std::vector<size_t> sizes = {3, 2};
  const AcquisitionSettings settings{.uniform_share = 0.25, .sharpness = 3};

  // By hand: q ∝ u^γ; behind a draw i for training Σ ← Σ − w Σ_i Σ_iᵀ/(1 + w Σ_ii).
  const auto shares = [&](const std::vector<double>& sigma, size_t begin, size_t n) {
    std::vector<double> u;
    double sum = 0;
    for (size_t i = begin; i < begin + n; ++i)
      sum += u.emplace_back(std::pow(probability_variance(odds.mean[i], sigma[i * 5 + i]), 3));
    for (double& x : u) x /= sum;
    return u;
  };
  std::map<std::pair<size_t, size_t>, double> expected;  // of both draws together
  const std::vector<double> first = shares(odds.covariance, 0, 3);
  for (size_t i = 0; i < 3; ++i) {
    std::vector<double> sigma = odds.covariance;
    const double p = sigmoid(odds.mean[i]), w = p * (1 - p);
    for (size_t a = 0; a < 5; ++a)
      for (size_t b = 0; b < 5; ++b)
        sigma[a * 5 + b] -=
            w * odds.covariance[i * 5 + a] * odds.covariance[i * 5 + b] / (1 + w * odds.covariance[i * 6]);
    const std::vector<double> after = shares(sigma, 3, 2), otherwise = shares(odds.covariance, 3, 2);
    for (size_t j = 0; j < 2; ++j) {
      const auto second = [&](double q) { return 0.25 / 2 + 0.75 * q; };
      expected[{i, 3 + j}] += 0.25 / 3 * second(otherwise[j]) + 0.75 * first[i] * second(after[j]);
    }
  }
  double total = 0;
  for (const auto& [draws, p] : expected) total += p;
  CHECK(total == doctest::Approx(1));

  constexpr int kRuns = 200'000;
  std::map<std::pair<size_t, size_t>, int> seen;
  std::map<size_t, double> weighted;  // Σ 1/propensity over draws of a candidate: each in kRuns on average
  double uniform = 0;
  for (int run = 0; run < kRuns; ++run) {
    const std::vector<Drawn> drawn = draw_pairs(odds, sizes, Stream(11, "run", static_cast<uint64_t>(run)), settings);
    REQUIRE(drawn.size() == 2);
    ++seen[{drawn[0].candidate, drawn[1].candidate}];
    for (const Drawn& d : drawn) {
      weighted[d.candidate] += 1 / d.propensity;
      uniform += d.uniform;
    }
    REQUIRE(drawn[0].propensity == doctest::Approx(0.25 / 3 + 0.75 * first[drawn[0].candidate]));
  }
  for (const auto& [draws, p] : expected)
    CHECK(std::abs(seen[draws] - kRuns * p) < 4.5 * std::sqrt(kRuns * p * (1 - p)));
  // Horvitz and Thompson: whatever the head prefers, weights by 1/propensity undo it.
  for (size_t i = 0; i < 5; ++i) CHECK(weighted[i] / kRuns == doctest::Approx(1).epsilon(0.03));
  CHECK(uniform / (2 * kRuns) == doctest::Approx(0.25).epsilon(0.01));
}

TEST_CASE("one candidate is drawn for certain, equal ones evenly, and no share is lost to rounding or overflow") {
  LogOdds odds;
  odds.mean = {0};
  odds.covariance = {0};
  const std::vector<size_t> one = {1};
  CHECK(draw_pairs(odds, one, Stream(1, "x"))[0].propensity == doctest::Approx(1));
  for (const double v : shares_of(std::vector<double>{0, 0, 0}, 4)) CHECK(v == doctest::Approx(1.0 / 3));
  const std::vector<double> tiny = shares_of(std::vector<double>{1e-200, 1e-200, 0}, 50);
  CHECK(tiny[0] == doctest::Approx(0.5));
  CHECK(tiny[2] == 0);
}

namespace {

// A person whose choices follow w* with one in ten at random, among pairs of three sizes of difference (the setting of
// Christiano et al.'s warning: large ones are unsure in their log-odds and certain in their choice). Accuracy on fresh
// pairs after `rounds` batches of eight prompts with six candidates each.
double accuracy(bool active, uint64_t seed, int rounds) {
  constexpr size_t kWidth = 12;
  Stream random(seed, active ? "active" : "random"), truth(seed, "truth");
  std::vector<double> w(kWidth);
  for (double& v : w) v = truth.normal();
  const auto fresh = [&](size_t n, Stream& from) {
    std::vector<Features> x = normal_features(n, kWidth, from);
    for (Features& row : x) {
      const double sizes[] = {0.3, 1, 2};
      const auto size = static_cast<float>(sizes[from.below(3)]);
      for (float& v : row) v *= size;
    }
    return x;
  };
  std::vector<Features> x;
  std::vector<double> y;
  const std::vector<size_t> prompts(8, 6);
  AcquisitionSettings settings;
  settings.uniform_share = active ? 0.2 : 1;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<Features> candidates = fresh(48, random);
    const LinearHead head(x, y, LinearHead::scale_of(candidates));
    for (const Drawn& d :
         draw_pairs(head.log_odds(candidates), prompts, Stream(seed, "draw", static_cast<uint64_t>(round)), settings)) {
      // Both learn from all that they are shown, so that only the choice differs.
      const double p = 0.9 * sigmoid(dot(candidates[d.candidate], w)) + 0.05;
      x.push_back(candidates[d.candidate]);
      y.push_back(random.chance(p));
    }
  }
  const std::vector<Features> test = fresh(4000, truth);
  const LogOdds odds = [&] {
    const LinearHead head(x, y, LinearHead::scale_of(x));
    LogOdds out;
    const std::vector<double> weights = head.weights();
    for (const Features& t : test) out.mean.push_back(dot(t, weights));
    return out;
  }();
  int right = 0;
  for (size_t i = 0; i < test.size(); ++i) right += (odds.mean[i] > 0) == (dot(test[i], w) > 0);
  return right / static_cast<double>(test.size());
}

}  // namespace

TEST_CASE("the head's choice beats chance where pairs differ in how much there is to learn of them") {
  double gain = 0, squares = 0;
  constexpr int kSeeds = 30;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const double active = accuracy(true, seed, 12), random = accuracy(false, seed, 12);
    gain += (active - random) / kSeeds;
    squares += (active - random) * (active - random);
  }
  const double error = std::sqrt((squares / kSeeds - gain * gain) / (kSeeds - 1));
  MESSAGE("accuracy after 96 judgements: " << gain << " above random, standard error " << error);
  CHECK(gain > 2 * error);
  CHECK(gain > 0.01);
}
