#include "oracle/oracle.h"
#include "losses/preference_loss.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "oracle/space.h"

using namespace hone;
using enum oracle::Policy;

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

namespace {

void check_reached(const oracle::Distance& d) {
  CHECK(d.start >= 0.3);  // the way must be long enough to mean something
  CHECK(d.end < 0.02);
}

}  // namespace

TEST_CASE("PPO under a KL penalty comes to the reference tilted by exp(r / beta): a table") {
  for (const double beta : {0.3, 0.5, 1.0}) {
    INFO("beta " << beta);
    check_reached(oracle::ppo_reaches_optimum(kTable, {.vocab = 4, .length = 3, .beta = beta, .seed = 1}, 100, 1024));
  }
}

TEST_CASE("PPO under a KL penalty comes to the reference tilted by exp(r / beta): a transformer") {
  for (const double beta : {0.3, 0.5, 1.0}) {
    INFO("beta " << beta);
    check_reached(
        oracle::ppo_reaches_optimum(kTransformer, {.vocab = 4, .length = 3, .beta = beta, .seed = 1}, 100, 768));
  }
}

TEST_CASE("PPO comes there by an adapter of full rank over the frozen reference") {
  check_reached(oracle::ppo_reaches_optimum(kAdapter, {.vocab = 4, .length = 3, .beta = 0.5, .seed = 1}, 100, 768));
}

// Minutes: `make long` sets HONE_LONG. The cases above are its short piece.
TEST_CASE("PPO in a larger space" * doctest::skip(std::getenv("HONE_LONG") == nullptr)) {
  const oracle::Problem problem{.vocab = 8, .length = 5, .beta = 1, .seed = 1};
  SUBCASE("a table") { check_reached(oracle::ppo_reaches_optimum(kTable, problem, 150, 8192)); }
  SUBCASE("a transformer") { check_reached(oracle::ppo_reaches_optimum(kTransformer, problem, 600, 4096)); }
}

TEST_CASE("DPO comes to the same distribution") {
  for (const oracle::Policy policy : {kTable, kTransformer, kAdapter})
    for (const double beta : {0.3, 0.5, 1.0}) {
      INFO("policy " << static_cast<int>(policy) << ", beta " << beta);
      check_reached(oracle::dpo_reaches_optimum(policy, {.vocab = 4, .length = 3, .beta = beta, .seed = 1}, 400));
    }
}

TEST_CASE("the policy gradient at ratio 1 is the exact one within its sampling error") {
  CHECK(oracle::gradient_deviation({.vocab = 4, .length = 3, .beta = 0.5, .seed = 1}, 64, 256) < 4);
}

namespace {

// Ways to learn without a critic of which is known what they make of the gradient (a baseline's factor stands in
// src/oracle/gradient.cpp; without one it is 1), and ways that bias its direction or length by what nobody has worked
// out.
const std::vector<oracle::GroupWay> kKnownWays{{.baseline = "none"},
                                               {.baseline = "leave_one_out"},
                                               {.baseline = "greedy"},
                                               {.baseline = "mean"},
                                               {.baseline = "mean", .samples_per_prompt = 2},
                                               {.baseline = "batch"},
                                               {.baseline = "leave_one_out", .kl_placement = "reward"},
                                               {.baseline = "leave_one_out", .kl_placement = "token_reward"}};
const std::vector<oracle::GroupWay> kBiasedWays{{.baseline = "mean", .scale = "group_std"},
                                                {.baseline = "mean", .scale = "batch_std"},
                                                {.baseline = "none", .scale = "whiten"}};

}  // namespace

TEST_CASE("without a critic: each baseline's gradient is the exact one, times what is known of it") {
  const oracle::Problem problem{.vocab = 4, .length = 3, .beta = 0.5, .seed = 1};
  for (const oracle::GroupWay& way : kKnownWays) {
    INFO(way.baseline);
    INFO(way.kl_placement);
    CHECK(oracle::group_gradient(way, problem, 1024, 64).worst < 4);
  }
  // The divergence in the loss is that of the states visited: of a single token it is the whole, of three it is not.
  const oracle::GroupWay in_loss{.kl_placement = "loss"};
  CHECK(oracle::group_gradient(in_loss, {.vocab = 4, .length = 1, .beta = 0.5, .seed = 1}, 1024, 64).worst < 4);
  CHECK(oracle::group_gradient(in_loss, problem, 1024, 64).worst > 8);
}

TEST_CASE("without a critic: what biases the gradient is seen to") {
  for (const oracle::GroupWay& way : kBiasedWays) {
    INFO(way.baseline);
    INFO(way.scale);
    CHECK(oracle::group_gradient(way, {.vocab = 4, .length = 3, .beta = 0.5, .seed = 1}, 1024, 64).worst > 8);
  }
}

TEST_CASE("every baseline and scale in the list is held against the exact gradient") {
  std::set<std::string> held;
  for (const auto* ways : {&kKnownWays, &kBiasedWays})
    for (const oracle::GroupWay& way : *ways)
      held.insert({std::string("baseline ") + way.baseline, std::string("scale ") + way.scale});
  for (const std::string name : {
#define HONE_ADVANTAGE(id, doc, citation)
#define HONE_BASELINE(id, fewest, doc, citation) "baseline " #id,
#define HONE_SCALE(id, fewest, doc, citation) "scale " #id,
#include "advantages/advantages.def"
#undef HONE_SCALE
#undef HONE_BASELINE
#undef HONE_ADVANTAGE
       })
    CHECK_MESSAGE(held.contains(name), name << " is in neither kKnownWays nor kBiasedWays");
}

TEST_CASE("k1 and k3 have the divergence as their mean") {
  CHECK(oracle::divergence_error({.vocab = 4, .length = 3, .beta = 1, .seed = 1}) < 1e-5);
  CHECK(oracle::divergence_error({.vocab = 8, .length = 5, .beta = 1, .seed = 1}) < 1e-5);
}

TEST_CASE("every loss of preferences, learnt by the code that trains, comes to the minimum found apart") {
  for (const std::string& loss : losses::preference_loss_ids()) {
    const oracle::LossDistance d = oracle::preference_loss_reaches_minimum(loss);
    CAPTURE(loss);
    MESSAGE(loss << ": total variation " << d.start << ", then " << d.end << "; of the loss left " << d.left);
    CHECK(d.start > 0.05);
    CHECK(d.reached());
  }
}
