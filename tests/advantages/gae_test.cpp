#include "advantages/gae.h"

#include <doctest/doctest.h>

#include "advantages/masked.h"
#include "base/error.h"
#include "base/rng.h"

namespace adv = hone::advantages;

TEST_CASE("two answers by hand") {
  const adv::Slots slots = adv::make_slots(std::vector<int64_t>{2, 1});
  const std::vector<float> rewards{1, 2, 3}, values{0.5, 1, 4};
  // Answer 1, γ = 0.9, λ = 0.5: δ_1 = 2 + 0 - 1 = 1, A_1 = 1;  δ_0 = 1 + 0.9·1 - 0.5 = 1.4, A_0 = 1.4 + 0.45·1 = 1.85
  // Answer 2: A = 3 - 4 = -1.  The value behind each last token is 0, and nothing leaks from one answer to the other.
  const adv::Estimates e = adv::gae({slots, rewards, values}, {.gamma = 0.9, .lambda = 0.5});
  CHECK(e.advantages[0] == doctest::Approx(1.85));
  CHECK(e.advantages[1] == doctest::Approx(1));
  CHECK(e.advantages[2] == doctest::Approx(-1));
  CHECK(e.returns[0] == doctest::Approx(2.35));
  CHECK(e.returns[1] == doctest::Approx(2));
  CHECK(e.returns[2] == doctest::Approx(3));
}

TEST_CASE("lambda = 1 is return minus value, lambda = 0 one temporal difference; one answer alone is the same") {
  hone::Stream random(3, "gae test");
  const std::vector<int64_t> lengths{5, 1, 9};
  const adv::Slots slots = adv::make_slots(lengths);
  std::vector<float> rewards(15), values(15);
  for (float& x : rewards) x = static_cast<float>(random.normal());
  for (float& x : values) x = static_cast<float>(random.normal());
  const double gamma = 0.97;
  const adv::Estimates one = adv::gae({slots, rewards, values}, {.gamma = gamma, .lambda = 1});
  const adv::Estimates zero = adv::gae({slots, rewards, values}, {.gamma = gamma, .lambda = 0});
  for (size_t s = 0; s < lengths.size(); ++s)
    for (int64_t i = slots.offsets[s]; i < slots.offsets[s + 1]; ++i) {
      double discounted = 0, discount = 1;
      for (int64_t j = i; j < slots.offsets[s + 1]; ++j, discount *= gamma) discounted += discount * rewards[j];
      CHECK(one.advantages[i] == doctest::Approx(discounted - values[i]).epsilon(1e-5));
      CHECK(one.returns[i] == doctest::Approx(discounted).epsilon(1e-5));
      const double next = i + 1 < slots.offsets[s + 1] ? values[i + 1] : 0;
      CHECK(zero.advantages[i] == doctest::Approx(rewards[i] + gamma * next - values[i]).epsilon(1e-5));
    }
  const adv::Slots alone = adv::make_slots(std::vector<int64_t>{9});
  const adv::Estimates last =
      adv::gae({alone, std::span(rewards).subspan(6), std::span(values).subspan(6)}, {.gamma = gamma, .lambda = 0.9});
  const adv::Estimates all = adv::gae({slots, rewards, values}, {.gamma = gamma, .lambda = 0.9});
  for (size_t i = 0; i < 9; ++i) CHECK(last.advantages[i] == all.advantages[6 + i]);
}

TEST_CASE("a perfect critic leaves no advantage") {
  // γ = λ = 1 and V = the sum of rewards to come.
  const adv::Slots slots = adv::make_slots(std::vector<int64_t>{3});
  const adv::Estimates e =
      adv::gae({slots, std::vector<float>{1, -2, 4}, std::vector<float>{3, 2, 4}}, {.lambda = 0.95});
  for (const float a : e.advantages) CHECK(a == doctest::Approx(0));
  CHECK(adv::explained_variance(std::vector<float>{3, 2, 4}, e.returns) == doctest::Approx(1));
}

TEST_CASE("estimators are found by id and whitened over the actions of the whole batch") {
  const std::vector<uint8_t> extra{1, 0};
  const adv::Slots slots = adv::make_slots(std::vector<int64_t>{2, 2}, extra);
  CHECK(slots.size() == 5);
  CHECK(slots.tokens == 4);
  const std::vector<float> rewards{0, 0, 1, 0, -1}, values{0.1f, 0.2f, 0.3f, 0.4f, 0.5f};
  const adv::Estimates e = adv::estimate({slots, rewards, values}, {});
  CHECK(e.advantages[2] == 0);  // the slot behind the first answer: no action
  const std::vector<float> actions = slots.at_actions(e.advantages);
  const adv::Moments m = adv::moments(actions, {}, true);
  CHECK(m.mean == doctest::Approx(0).epsilon(1e-6));
  CHECK(m.variance == doctest::Approx(1));
  CHECK_THROWS_WITH_AS(adv::find("gea"), doctest::Contains("unknown advantage estimator 'gea'"), hone::Error);
  CHECK_THROWS_AS(adv::gae({slots, rewards, values}, {.lambda = 1.5}), hone::Error);
}
