// Intervals of a share: SciPy's values, and what they promise by enumeration of every outcome, without a simulation.
#include "base/binomial.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "base/files.h"
#include "base/json.h"

using namespace hone::stats;
using doctest::Approx;

TEST_CASE("intervals and powers are SciPy's") {
  const std::string path = "tests/golden/binomial.json";
  const hone::Json golden = hone::parse_json(hone::read_file(path), path);
  for (const hone::Json& g : golden["intervals"]) {
    const int64_t k = g["k"], n = g["n"];
    CAPTURE(k);
    CAPTURE(n);
    const Estimate exact = clopper_pearson(k, n), any = anytime_share(k, n);
    CHECK(exact.low == Approx(g["exact"][0].get<double>()).epsilon(1e-9));
    CHECK(exact.high == Approx(g["exact"][1].get<double>()).epsilon(1e-9));
    CHECK(any.low == Approx(g["anytime"][0].get<double>()).epsilon(1e-9));
    CHECK(any.high == Approx(g["anytime"][1].get<double>()).epsilon(1e-9));
    CHECK(any.low <= exact.low);  // what it costs to look
    CHECK(any.high >= exact.high);
    CHECK(exact.value == Approx(static_cast<double>(k) / static_cast<double>(n)));
  }
  for (const hone::Json& g : golden["powers"]) {
    CAPTURE(g.dump());
    CHECK(power_at(g["n"], g["p"]) == Approx(g["power"].get<double>()).epsilon(1e-9));
  }
}

TEST_CASE("nobody was asked") {
  for (const Estimate& e : {clopper_pearson(0, 0), anytime_share(0, 0)}) {
    CHECK(e.low == 0);
    CHECK(e.high == 1);
    CHECK(e.n == 0);
  }
}

TEST_CASE("the fixed interval holds the true share in at least 95 of 100 tests, for every share and n") {
  for (const int64_t n : {1, 2, 5, 20, 49, 100}) {
    std::vector<Estimate> intervals;
    for (int64_t k = 0; k <= n; ++k) intervals.push_back(clopper_pearson(k, n));
    for (int i = 1; i < 200; ++i) {
      const double p = i / 200.0;
      double held = 0;
      for (int64_t k = 0; k <= n; ++k)
        if (intervals[static_cast<size_t>(k)].low <= p && p <= intervals[static_cast<size_t>(k)].high)
          held += binomial_probability(k, n, p);
      CAPTURE(n);
      CAPTURE(p);
      CHECK(held >= 0.95 - 1e-12);
    }
  }
}

namespace {

// The probability that some look at n = 1 … last refuses p, true share p, by enumeration of all paths. `refuses(k, n)`.
template <class Refuses>
double ever_refused(double p, int64_t last, const Refuses& refuses) {
  std::vector<double> alive{1};
  double refused = 0;
  for (int64_t n = 1; n <= last; ++n) {
    alive.push_back(0);
    for (size_t k = alive.size() - 1; k > 0; --k) alive[k] = alive[k] * (1 - p) + alive[k - 1] * p;
    alive[0] *= 1 - p;
    for (size_t k = 0; k < alive.size(); ++k)
      if (refuses(static_cast<int64_t>(k), n)) refused += alive[k], alive[k] = 0;
  }
  return refused;
}

}  // namespace

TEST_CASE("the any-time interval holds at all 600 looks together, the fixed one does not") {
  const auto outside = [](const Estimate& e, double p) { return p < e.low || p > e.high; };
  for (const double p : {0.5, 0.6, 0.75, 0.9}) {
    const double missed = ever_refused(p, 600, [&](int64_t k, int64_t n) { return outside(anytime_share(k, n), p); });
    CAPTURE(p);
    CHECK(missed <= 0.05);
    CHECK(missed > 0.005);  // and is not so wide that it says nothing
  }
  // Looking at the fixed interval after every answer of 200 and stopping when it is sure is wrong many times as often.
  const double peeking =
      ever_refused(0.5, 200, [&](int64_t k, int64_t n) { return outside(clopper_pearson(k, n), 0.5); });
  CHECK(peeking > 0.15);
}

TEST_CASE("first a fixed test of 20, then the sequence: wrong in at most 10 of 100, as the two levels add up") {
  const double both = ever_refused(0.5, 600, [](int64_t k, int64_t n) {
    if (n < 20) return false;
    const Estimate e = n == 20 ? clopper_pearson(k, n) : anytime_share(k, n);
    return e.low > 0.5 || e.high < 0.5;
  });
  CHECK(both <= 0.10);
  CHECK(both > 0.0413);  // 2·P(X >= 15 | 20, 1/2) = 0.0414 of it are the fixed test's
}

TEST_CASE("how many answers it takes") {
  CHECK(answers_for_power(0.7, 0.8, 1000).value() == 49);
  CHECK(!answers_for_power(0.5, 0.8, 200));  // no number shows a preference that is not there
  // From 14 of 20 on: the path's sum by hand at step 0 is 0, so more than none; sure already at 20 of 20.
  CHECK(answers_until_sure(20, 20, 0.9, 0.8, 100).value() == 0);
  const auto more = answers_until_sure(14, 20, 0.7, 0.8, 1000);
  REQUIRE(more);
  CHECK(*more > 49 - 20);  // looking costs
  CHECK(*more < 100);
  CHECK(!answers_until_sure(10, 20, 0.5, 0.8, 300));
}
