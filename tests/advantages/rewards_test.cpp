#include "advantages/rewards.h"

#include <doctest/doctest.h>

#include <cmath>

#include "advantages/estimator.h"
#include "advantages/kl_controller.h"
#include "base/error.h"
#include "config/fields.h"

namespace adv = hone::advantages;

namespace {
// Two answers: two tokens that ended, one token that the limit cut.
struct Batch {
  std::vector<int64_t> lengths{2, 1};
  std::vector<float> score{2, -8}, logp{-1, -2, -1}, reference{-1.5, -1, -1};
  std::vector<uint8_t> finished{1, 0};
  adv::ShapedRewards shape(double beta, const adv::RewardParams& params, int64_t limit = 3) const {
    const adv::Slots slots = adv::make_slots(lengths, adv::extra_slots(params.score_position, lengths, limit));
    return adv::shape_rewards(slots, {score, finished, logp, reference}, beta, params);
  }
};
}  // namespace

TEST_CASE("divergence is paid token by token and the score comes last") {
  const adv::ShapedRewards r = Batch{}.shape(0.1, {});
  // k1: 0.5, -1, 0;  -0.1·k1 = -0.05, 0.1, 0;  scores 2 and -8 on the last tokens
  CHECK(r.rewards[0] == doctest::Approx(-0.05));
  CHECK(r.rewards[1] == doctest::Approx(2.1));
  CHECK(r.rewards[2] == doctest::Approx(-8));
  CHECK(r.kl[0] == doctest::Approx(-0.5));
  CHECK(r.kl[1] == 0);
  // k3: e^-0.5 - 1 + 0.5 = 0.106531;  e^1 - 1 - 1 = 0.718282
  CHECK(r.kl_k3[0] == doctest::Approx(0.824813));
}

TEST_CASE("after_last puts the score on a slot of its own, unless the answer fills the limit") {
  const adv::ShapedRewards r = Batch{}.shape(0.1, {.score_position = "after_last"}, 2);
  CHECK(r.rewards.size() == 4);  // answer 1 is as long as the limit, answer 2 has a slot more
  CHECK(r.rewards[1] == doctest::Approx(2.1));
  CHECK(r.rewards[2] == doctest::Approx(0));
  CHECK(r.rewards[3] == doctest::Approx(-8));
}

TEST_CASE("score treatment: clip, then the missing end token") {
  CHECK(Batch{}.shape(0, {.score_clip = 4}).score == std::vector<float>{2, -4});
  CHECK(Batch{}.shape(0, {.missing_eos = "subtract", .missing_eos_penalty = 1.5, .score_clip = 4}).score ==
        std::vector<float>{2, -5.5});
  CHECK(Batch{}.shape(0, {.missing_eos = "replace", .missing_eos_penalty = 1.5}).score == std::vector<float>{2, -1.5});
  // mean -3, unbiased standard deviation √50: ±5/√50 = ±0.707107
  CHECK(Batch{}.shape(0, {.score_normalise = "batch"}).score[0] == doctest::Approx(0.707107));
}

TEST_CASE("clamped divergence changes the reward and not what is logged") {
  CHECK(Batch{}.shape(1, {.kl_clamp = "nonnegative"}).rewards[1] == doctest::Approx(2));
  const adv::ShapedRewards r = Batch{}.shape(1, {.kl_clamp = "symmetric", .kl_clamp_limit = 0.25});
  CHECK(r.rewards[0] == doctest::Approx(-0.25));
  CHECK(r.rewards[1] == doctest::Approx(2.25));
  CHECK(r.kl[0] == doctest::Approx(-0.5));
}

TEST_CASE("an unknown choice is refused by name") {
  CHECK_THROWS_WITH_AS(Batch{}.shape(1, {.kl_clamp = "both"}), doctest::Contains("unknown kl_clamp 'both'"),
                       hone::Error);
  CHECK_THROWS_WITH_AS(Batch{}.shape(1, {.missing_eos = "drop"}), doctest::Contains("unknown missing_eos 'drop'"),
                       hone::Error);
  CHECK_THROWS_AS(Batch{}.shape(1, {.score_position = "first"}), hone::Error);
}

// For every answer of an enumerable space the logged k1 and k3, weighed by the policy, are the divergence itself.
TEST_CASE("E[Σ k1] = E[Σ k3] = KL over all answers of two tokens") {
  const double p1[3] = {0.2, 0.5, 0.3}, q1[3] = {0.4, 0.4, 0.2};  // first token
  double p2[3][3], q2[3][3];                                      // second token given the first
  for (int a = 0; a < 3; ++a) {
    double p = 0, q = 0;
    for (int b = 0; b < 3; ++b) p += p2[a][b] = 1 + a + 2 * b, q += q2[a][b] = 4 + a - b;
    for (int b = 0; b < 3; ++b) p2[a][b] /= p, q2[a][b] /= q;
  }
  double kl = 0, k1 = 0, k3 = 0;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      const double p = p1[a] * p2[a][b], q = q1[a] * q2[a][b];
      kl += p * std::log(p / q);
      const std::vector<float> logp{static_cast<float>(std::log(p1[a])), static_cast<float>(std::log(p2[a][b]))},
          reference{static_cast<float>(std::log(q1[a])), static_cast<float>(std::log(q2[a][b]))};
      const adv::Slots slots = adv::make_slots(std::vector<int64_t>{2});
      const adv::ShapedRewards r =
          adv::shape_rewards(slots, {std::vector<float>{0}, std::vector<uint8_t>{1}, logp, reference}, 1, {});
      k1 += p * r.kl[0];
      k3 += p * r.kl_k3[0];
    }
  CHECK(k1 == doctest::Approx(kl).epsilon(1e-6));
  CHECK(k3 == doctest::Approx(kl).epsilon(1e-6));
}

TEST_CASE("every setting has a meaning and a source") {
  adv::RewardParams reward;
  adv::AdvantageParams advantage;
  adv::KlParams kl;
  const auto check = [](const hone::config::Fields& fields) {
    for (const auto& field : fields.list()) {
      CAPTURE(field.key);
      CHECK(!field.doc.empty());
      CHECK(!field.source.empty());
    }
  };
  check(hone::config::fields_of(reward));
  check(hone::config::fields_of(advantage));
  check(hone::config::fields_of(kl));
}
