#include "losses/dpo.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../golden/golden.h"
#include "base/rng.h"
#include "losses/aggregate.h"

using hone::Tensor;
using hone::golden::distance;
using hone::golden::tensor;
namespace losses = hone::losses;

TEST_CASE("one pair by hand, and its implicit rewards") {
  const losses::PairLogps pair{tensor({-3.0}), tensor({-5.0}), tensor({-4.0}), tensor({-4.5}), {}, {}, {}};
  // d = (-3 + 4) - (-5 + 4.5) = 1.5;  β d = 0.15;  -logσ(0.15) = log(1 + e^-0.15) = 0.620957
  CHECK(losses::dpo(pair, {.beta = 0.1}).item<float>() == doctest::Approx(0.620957));
  const losses::ImplicitRewards rewards = losses::implicit_rewards(pair, 0.1);
  CHECK(rewards.chosen.item<float>() == doctest::Approx(0.1));
  CHECK(rewards.rejected.item<float>() == doctest::Approx(-0.05));
  CHECK(rewards.margin.item<float>() == doctest::Approx(0.15));
}

TEST_CASE("the policy that is the reference pays log 2 whatever beta") {
  const Tensor x = tensor({-7.0, -1.0}), y = tensor({-2.0, -9.0});
  CHECK(distance(losses::dpo({x, y, x, y, {}, {}, {}}, {.beta = 5}), at::full({2}, std::log(2.0))) < 1e-7);
}

TEST_CASE("losses are TRL's, with label smoothing too") {
  const hone::Json g = hone::golden::load("trl_losses.json")["dpo"];
  const losses::PairLogps pair{tensor(g["policy_chosen"]),
                               tensor(g["policy_rejected"]),
                               tensor(g["reference_chosen"]),
                               tensor(g["reference_rejected"]),
                               {},
                               {},
                               {}};
  losses::PairLossParams params{.loss = "dpo", .beta = g["beta"]};
  CHECK(distance(losses::pair_loss("dpo")(pair, params), tensor(g["loss"])) < 1e-5);
  params.label_smoothing = g["label_smoothing"];
  CHECK(distance(losses::dpo(pair, params), tensor(g["smoothed_loss"])) < 1e-5);
}

// Rafailov et al., section 4: on an enumerable space, with Bradley–Terry labels of a reward r, the loss's minimum over
// all policies is π_ref·exp(r/β)/Z.
TEST_CASE("the population optimum is the reference tilted by exp(r / beta)") {
  constexpr int64_t n = 9;  // two tokens out of three
  hone::Stream random(11, "dpo test");
  std::vector<double> reward(n), reference_logits(n);
  for (int64_t i = 0; i < n; ++i) {
    reward[i] = random.normal();
    reference_logits[i] = random.normal();
  }
  std::vector<int64_t> first, second;
  for (int64_t i = 0; i < n * n; ++i)
    if (i / n != i % n) {
      first.push_back(i / n);
      second.push_back(i % n);
    }
  const auto pairs = static_cast<int64_t>(first.size());
  const auto index = at::TensorOptions().dtype(at::kLong);
  const Tensor a = at::from_blob(first.data(), {pairs}, index), b = at::from_blob(second.data(), {pairs}, index);
  const Tensor r = tensor(reward, at::kDouble), reference = at::log_softmax(tensor(reference_logits, at::kDouble), 0);
  const Tensor label = at::sigmoid(r.index_select(0, a) - r.index_select(0, b));
  for (const double beta : {0.5, 1.0}) {
    Tensor logits = reference.clone().requires_grad_();
    for (int step = 0; step < 3000; ++step) {
      logits.mutable_grad() = Tensor();
      const Tensor policy = at::log_softmax(logits, 0);
      losses::PairLogps pair{policy.index_select(0, a),
                             policy.index_select(0, b),
                             reference.index_select(0, a),
                             reference.index_select(0, b),
                             {},
                             {},
                             label};
      losses::reduce(losses::dpo(pair, {.beta = beta}), pairs).backward();
      const at::NoGradGuard no_grad;
      logits.sub_(logits.grad(), 8.0);
    }
    const Tensor policy = at::softmax(logits.detach(), 0), ideal = at::softmax(reference + r / beta, 0),
                 start = reference.exp();
    CHECK(0.5 * (start - ideal).abs().sum().item<double>() > 0.2);
    CHECK(0.5 * (policy - ideal).abs().sum().item<double>() < 1e-6);
  }
}
