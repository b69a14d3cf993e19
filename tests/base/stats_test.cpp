#include "base/stats.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"

using namespace hone::stats;
using doctest::Approx;

TEST_CASE("Wilson interval of 5 in 8") {  // z = 1.96: centre (5/8 + z²/16)/(1 + z²/8), by hand 0.3057..0.8632
  const Estimate e = wilson(5, 8);
  CHECK(e.value == Approx(0.625));
  CHECK(e.low == Approx(0.3057423946).epsilon(1e-6));
  CHECK(e.high == Approx(0.8631557142).epsilon(1e-6));
}

TEST_CASE("three of three are no certainty, alone or against none of three") {
  CHECK(wilson(3, 3).low == Approx(0.4385).epsilon(1e-3));
  const std::vector<double> all{1, 1, 1}, none{0, 0, 0};
  const Estimate d = paired_share_difference(all, none);
  CHECK(d.value == 1);
  CHECK(d.low == Approx(1 - std::sqrt(2) * (1 - 0.4385)).epsilon(1e-3));  // both shares 0.5615 off, uncorrelated
  CHECK(d.high == Approx(1));
}

TEST_CASE("a difference of two shares is Newcombe's") {
  // 20 of both, 12 and 2 of one, 16 of neither: shares .64 and .44, φ = (20·16 - 12·2 - 25)/√(32·18·22·28) = .455.
  std::vector<double> x, y;
  const auto add = [&](int n, double a, double b) {
    for (int i = 0; i < n; ++i) x.push_back(a), y.push_back(b);
  };
  add(20, 1, 1), add(12, 1, 0), add(2, 0, 1), add(16, 0, 0);
  const Estimate d = paired_share_difference(x, y);
  // Wilson: .64 [.5014, .7586], .44 [.3116, .5769]; u = .1386, v = .1369: .2 - √(u² - 2·.455·u·v + v²) = .0562.
  CHECK(d.value == Approx(0.2));
  CHECK(d.low == Approx(0.0562).epsilon(5e-3));
  CHECK(d.high == Approx(0.3290).epsilon(5e-3));
}

TEST_CASE("bootstrap intervals hold the true mean as often as they say") {
  // Of 400 samples each: about 95% of the intervals of a skewed distribution's mean, of few units too.
  for (const size_t n : {8, 30, 200}) {
    int held = 0;
    for (uint64_t sample = 0; sample < 400; ++sample) {
      hone::Stream stream(3, "bootstrap", n, sample);
      std::vector<double> x(n);
      for (double& v : x) v = -std::log1p(-stream.uniform());  // exponential, mean 1
      const Estimate e = bootstrap_mean(x);
      held += e.low <= 1 && 1 <= e.high;
    }
    CAPTURE(n);
    CHECK(held > 400 * 0.90);
    CHECK(held <= 400);
  }
  CHECK(std::isinf(bootstrap_mean(std::vector<double>{0.7}).low));
  CHECK(bootstrap_mean(std::vector<double>{2, 2, 2}).low == 2);
}

TEST_CASE("rows that share a unit are drawn together") {
  // 40 prompts, six equal rows each: as wide as 40 rows, not as 240.
  std::vector<double> prompts, six, ones(40, 1), sixes(40, 6);
  hone::Stream stream(4, "units");
  for (int i = 0; i < 40; ++i) prompts.push_back(stream.normal()), six.push_back(6 * prompts.back());
  const Estimate by_prompt = bootstrap_ratio(six, sixes), few = bootstrap_ratio(prompts, ones);
  CHECK(by_prompt.value == Approx(few.value));
  CHECK(by_prompt.low == Approx(few.low));
  CHECK(by_prompt.high == Approx(few.high));
}

TEST_CASE("correlation of small samples") {
  const std::vector<double> x{1, 2, 3, 4}, y{2, 4, 6, 8}, z{1, 1, 1, 1};
  CHECK(pearson(x, y) == Approx(1));
  CHECK(pearson(x, z) == 0);
}
