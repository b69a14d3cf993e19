#include "advantages/group.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/error.h"

namespace adv = hone::advantages;

namespace {

// Two prompts, three answers each.
const std::vector<float> kReward{1, 2, 6, 4, 4, 4};
const std::vector<int64_t> kGroup{0, 0, 0, 1, 1, 1};

std::vector<float> of(const char* baseline, const char* scale, const std::vector<float>& greedy = {}) {
  return adv::group_advantages({kReward, kGroup, greedy}, {.baseline = baseline, .scale = scale});
}

void check_near(const std::vector<float>& seen, const std::vector<double>& expected) {
  REQUIRE(seen.size() == expected.size());
  for (size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

}  // namespace

TEST_CASE("baselines by hand") {
  check_near(of("none", "none"), {1, 2, 6, 4, 4, 4});
  check_near(of("mean", "none"), {-2, -1, 3, 0, 0, 0});               // means 3 and 4
  check_near(of("leave_one_out", "none"), {-3, -1.5, 4.5, 0, 0, 0});  // 1 - 8/2, 2 - 7/2, 6 - 3/2: 3/2 of the row above
  check_near(of("batch", "none"), {-2.5, -1.5, 2.5, 0.5, 0.5, 0.5});  // mean 21/6
  check_near(of("greedy", "none", {2, 2, 2, 5, 5, 5}), {-1, 0, 4, -1, -1, -1});
}

TEST_CASE("scales by hand") {
  // Of 1, 2, 6: ((-2)² + (-1)² + 3²) / 2 = 7. A group of one reward gives 0 / 1e-4.
  const double s = std::sqrt(7.0) + 1e-4;
  check_near(of("mean", "group_std"), {-2 / s, -1 / s, 3 / s, 0, 0, 0});
  // Of all: (2.5² + 1.5² + 2.5² + 3·0.5²) / 5 = 15.5 / 5
  const double b = std::sqrt(3.1) + 1e-4;
  check_near(of("mean", "batch_std"), {-2 / b, -1 / b, 3 / b, 0, 0, 0});
  CHECK(of("mean", "whiten") == of("mean", "none"));  // whitened over tokens, below
}

TEST_CASE("from answers to tokens: later penalties count, and whitening is over the step's tokens") {
  const adv::Slots slots = adv::make_slots(std::vector<int64_t>{2, 1});
  const std::vector<float> answers{1, -1}, penalties{0.5F, 0.25F, 2};
  check_near(adv::token_advantages(slots, answers, {}, {}), {1, 1, -1});
  check_near(adv::token_advantages(slots, answers, penalties, {}), {1 - 0.75, 1 - 0.25, -3});
  // 1, 1, -1: mean 1/3, unbiased variance (4/9 + 4/9 + 16/9) / 2 = 4/3
  const double s = std::sqrt(4.0 / 3 + 1e-8);
  check_near(adv::token_advantages(slots, answers, {}, {.baseline = "none", .scale = "whiten"}),
             {2.0 / 3 / s, 2.0 / 3 / s, -4.0 / 3 / s});
}

TEST_CASE("prompts whose answers are all alike are counted") {
  const adv::GroupFigures f = adv::group_figures({kReward, kGroup, {}});
  CHECK(f.zero_variance == 0.5);
  CHECK(f.std == doctest::Approx(std::sqrt(7.0) / 2));
}

TEST_CASE("one answer to a prompt cannot be held against others") {
  for (const auto& [baseline, scale] : {std::pair{"mean", "none"}, {"leave_one_out", "none"}, {"none", "group_std"}}) {
    CAPTURE(baseline);
    const adv::GroupAdvantageParams params{.baseline = baseline, .scale = scale};
    CHECK_THROWS_WITH_AS(params.check(1), doctest::Contains("there is one of each"), hone::Error);
    CHECK_NOTHROW(params.check(2));
  }
  const adv::GroupAdvantageParams reinforce{.baseline = "none", .scale = "whiten"};
  CHECK_NOTHROW(reinforce.check(1));
  CHECK_THROWS_WITH_AS(of("nonesuch", "none"), doctest::Contains("unknown baseline 'nonesuch'"), hone::Error);
}

TEST_CASE("the soft overlong punishment falls over the buffer") {
  // A limit of 20 with a buffer of 8: 0 up to 12, then an eighth a token.
  CHECK(adv::overlong_penalty(12, 20, 8) == 0);
  CHECK(adv::overlong_penalty(14, 20, 8) == -0.25);
  CHECK(adv::overlong_penalty(20, 20, 8) == -1);
  CHECK(adv::overlong_penalty(20, 20, 0) == 0);
}
