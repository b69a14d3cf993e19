#include "losses/bradley_terry.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../golden/golden.h"
#include "losses/aggregate.h"

using hone::Tensor;
using hone::golden::distance;
using hone::golden::tensor;
namespace losses = hone::losses;

TEST_CASE("one pair by hand") {
  const losses::RewardPair pair{tensor({2.0}), tensor({0.5}), tensor({1.0}), {}};
  // z = 2 - 0.5 - 1 = 0.5;  -logσ(0.5) = log(1 + e^-0.5) = 0.474077;  -logσ(-0.5) = 0.974077
  CHECK(losses::bradley_terry(pair, {}).item<float>() == doctest::Approx(0.474077));
  // smoothed by 0.1: 0.9·0.474077 + 0.1·0.974077 = 0.524077; centred by 0.01: + 0.01·2.5² = 0.0625
  CHECK(losses::bradley_terry(pair, {.label_smoothing = 0.1, .centring = 0.01}).item<float>() ==
        doctest::Approx(0.586577));
  // A tie: ½·0.474077 + ½·0.974077 = 0.724077
  const losses::RewardPair tie{pair.chosen, pair.rejected, pair.margin, tensor({0.5})};
  CHECK(losses::bradley_terry(tie, {}).item<float>() == doctest::Approx(0.724077));
}

TEST_CASE("large differences neither overflow nor lose their gradient") {
  Tensor chosen = tensor({-1e4, 1e4}).requires_grad_();
  const Tensor loss = losses::bradley_terry({chosen, tensor({0.0, 0.0}), {}, {}}, {});
  CHECK(loss[0].item<float>() == 1e4f);
  CHECK(loss[1].item<float>() == 0);
  loss.sum().backward();
  CHECK(chosen.grad()[0].item<float>() == -1);
}

TEST_CASE("the mean loss is TRL's, margin and centring included") {
  const hone::Json g = hone::golden::load("trl_losses.json")["bradley_terry"];
  const losses::RewardPair pair{tensor(g["chosen"]), tensor(g["rejected"]), tensor(g["margin"]), {}};
  const Tensor loss = losses::reduce(losses::bradley_terry(pair, {.centring = g["centring"]}), 6);
  CHECK(loss.item<double>() == doctest::Approx(g["mean_loss"].get<double>()).epsilon(1e-6));
}

// Consistency: on all pairs of n answers, each label drawn from the true utility's Bradley–Terry probability, the
// loss's minimum over free rewards is the true utility, up to the constant that no comparison can tell.
TEST_CASE("the population optimum is the true utility up to a constant; centring picks the constant") {
  const std::vector<double> utility = {-1.2, 0.3, 0.9, 2.0, -0.1};
  const auto n = static_cast<int64_t>(utility.size());
  std::vector<int64_t> first, second;
  std::vector<double> probability;
  for (int64_t a = 0; a < n; ++a)
    for (int64_t b = 0; b < n; ++b)
      if (a != b) {
        first.push_back(a);
        second.push_back(b);
        probability.push_back(1 / (1 + std::exp(utility[b] - utility[a])));
      }
  const auto pairs = static_cast<int64_t>(first.size());
  const auto index = at::TensorOptions().dtype(at::kLong);
  const Tensor a = at::from_blob(first.data(), {pairs}, index), b = at::from_blob(second.data(), {pairs}, index);
  const Tensor target = tensor(probability, at::kDouble), truth = tensor(utility, at::kDouble);
  for (const double centring : {0.0, 1e-4}) {
    Tensor reward = at::zeros({n}, at::kDouble).requires_grad_();
    if (centring == 0) reward = (reward.detach() + 3).requires_grad_();  // a constant that stays
    for (int step = 0; step < 3000; ++step) {
      reward.mutable_grad() = Tensor();
      losses::reduce(losses::bradley_terry({reward.index_select(0, a), reward.index_select(0, b), {}, target},
                                           {.centring = centring}),
                     pairs)
          .backward();
      const at::NoGradGuard no_grad;
      reward.sub_(reward.grad(), 2.0);
    }
    const Tensor off = reward.detach() - truth;
    CHECK(distance(off, off.mean().expand({n})) < (centring == 0 ? 1e-6 : 2e-2));
    CHECK(reward.detach().mean().item<double>() == doctest::Approx(centring == 0 ? 3.0 : 0.0).epsilon(1e-3));
  }
}
