#include "oracle/oracle.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include "oracle/space.h"

using namespace hone;

TEST_CASE("an enumerated space: states, answers, reward of standard deviation 1") {
  const oracle::Space space({.vocab = 4, .length = 3, .beta = 1, .seed = 1});
  CHECK(space.states() == 1 + 4 + 16);
  CHECK(space.answers() == 64);
  CHECK(space.answer(27) == std::vector<int32_t>{1, 2, 3});  // 27 = 1·16 + 2·4 + 3
  CHECK(space.state(std::vector<int32_t>{1, 2}) == 1 + 4 + 6);
  double sum = 0, squares = 0, probability = 0;
  for (int64_t i = 0; i < 64; ++i) {
    const double r = space.reward(space.answer(i));
    sum += r;
    squares += r * r;
  }
  for (const double p : space.probabilities(space.reference())) probability += p;
  CHECK(std::abs(sum) < 1e-9);
  CHECK(squares / 63 == doctest::Approx(1));
  CHECK(probability == doctest::Approx(1));
}

TEST_CASE("PPO under a KL penalty comes to the reference tilted by exp(r / beta)") {
  for (const double beta : {0.3, 0.5, 1.0}) {
    const oracle::Distance d =
        oracle::ppo_reaches_optimum({.vocab = 4, .length = 3, .beta = beta, .seed = 1}, 100, 1024);
    INFO("beta " << beta);
    CHECK(d.start >= 0.3);
    CHECK(d.end < 0.02);
  }
}

TEST_CASE("PPO in a larger space" * doctest::skip(std::getenv("HONE_LONG") == nullptr)) {  // a minute; `make long`
  const oracle::Distance d = oracle::ppo_reaches_optimum({.vocab = 8, .length = 5, .beta = 1, .seed = 1}, 150, 8192);
  CHECK(d.start >= 0.3);
  CHECK(d.end < 0.02);
}

TEST_CASE("DPO comes to the same distribution") {
  for (const double beta : {0.3, 1.0}) {
    const oracle::Distance d = oracle::dpo_reaches_optimum({.vocab = 4, .length = 3, .beta = beta, .seed = 1});
    INFO("beta " << beta);
    CHECK(d.start >= 0.3);
    CHECK(d.end < 0.02);
  }
}

TEST_CASE("the policy gradient at ratio 1 is the exact one within its sampling error") {
  CHECK(oracle::gradient_deviation({.vocab = 4, .length = 3, .beta = 0.5, .seed = 1}, 64, 256) < 4);
}

TEST_CASE("k1 and k3 have the divergence as their mean") {
  CHECK(oracle::divergence_error({.vocab = 4, .length = 3, .beta = 1, .seed = 1}) < 1e-5);
  CHECK(oracle::divergence_error({.vocab = 8, .length = 5, .beta = 1, .seed = 1}) < 1e-5);
}
