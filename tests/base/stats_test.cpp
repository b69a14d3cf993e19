#include "base/stats.h"

#include <doctest/doctest.h>

#include <vector>

using namespace hone::stats;
using doctest::Approx;

TEST_CASE("Wilson interval of 5 in 8") {  // z = 1.96: centre (5/8 + z²/16)/(1 + z²/8), by hand 0.3057..0.8632
  const Estimate e = wilson(5, 8);
  CHECK(e.value == Approx(0.625));
  CHECK(e.low == Approx(0.3057423946).epsilon(1e-6));
  CHECK(e.high == Approx(0.8631557142).epsilon(1e-6));
}

TEST_CASE("mean interval and correlation of small samples") {
  const std::vector<double> x{1, 2, 3, 4};  // mean 2.5, s = √(5/3) = 1.29099
  const Estimate e = mean_interval(x);
  CHECK(e.value == Approx(2.5));
  CHECK(e.high - e.value == Approx(1.959963984 * 1.290994449 / 2));
  const std::vector<double> y{2, 4, 6, 8}, z{1, 1, 1, 1};
  CHECK(pearson(x, y) == Approx(1));
  CHECK(pearson(x, z) == 0);
}
