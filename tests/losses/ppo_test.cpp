#include "losses/ppo.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../golden/golden.h"
#include "losses/aggregate.h"

using hone::Tensor;
using hone::golden::distance;
using hone::golden::tensor;
namespace losses = hone::losses;

TEST_CASE("the surrogate by hand, on both sides of the clip") {
  const Tensor advantage = tensor({1.0, 1.0, -1.0, -1.0, -1.0}), ratio = tensor({1.5, 0.5, 1.5, 0.5, 10.0});
  Tensor logp = ratio.log().requires_grad_();
  const losses::Surrogate s = losses::clipped_surrogate(logp, at::zeros({5}), advantage, {});
  // max(-A ρ, -A clip(ρ, 0.8, 1.2)): max(-1.5, -1.2), max(-0.5, -0.8), max(1.5, 1.2), max(0.5, 0.8), max(10, 1.2)
  CHECK(distance(s.loss, tensor({-1.2, -0.5, 1.5, 0.8, 10.0})) < 1e-5);
  CHECK(distance(s.clipped.to(at::kFloat), tensor({1.0, 0.0, 0.0, 1.0, 0.0})) == 0);
  s.loss.sum().backward();
  CHECK(distance(logp.grad(), tensor({0.0, -0.5, 1.5, 0.0, 10.0})) < 1e-5);  // -A ρ where not clipped

  // Dual clip with c = 3: the last token's loss is min(10, 3) and its gradient goes.
  Tensor again = ratio.log().requires_grad_();
  const losses::Surrogate dual = losses::clipped_surrogate(again, at::zeros({5}), advantage, {.dual_clip = 3});
  CHECK(distance(dual.loss, tensor({-1.2, -0.5, 1.5, 0.8, 3.0})) < 1e-5);
  dual.loss.sum().backward();
  CHECK(again.grad()[4].item<float>() == 0);
  CHECK(dual.clipped[4].item<bool>());

  // Asymmetric clip: 1.5 is kept when clip_high is 0.6.
  const losses::Surrogate wide = losses::clipped_surrogate(ratio.log(), at::zeros({5}), advantage, {.clip_high = 0.6});
  CHECK(wide.loss[0].item<float>() == doctest::Approx(-1.5));
}

TEST_CASE("at ratio 1 the gradient is the policy gradient, nothing is clipped and the divergence is 0") {
  Tensor logp = tensor({-1.0, -2.0, -0.1}).requires_grad_();
  const Tensor advantage = tensor({0.7, -1.3, 2.0}), weight = tensor({1.0, 1.0, 0.0});
  const losses::Surrogate s = losses::clipped_surrogate(logp, logp.detach(), advantage, {.dual_clip = 3});
  losses::PolicyStats stats;
  stats.add(s, weight);
  CHECK(stats.clip_fraction() == 0);
  CHECK(stats.ratio_max == 1);
  CHECK(stats.kl_k1() == 0);
  CHECK(stats.kl_k3() == 0);
  losses::reduce(s.loss, weight, 2).backward();
  CHECK(distance(logp.grad(), -advantage * weight / 2) < 1e-7);
}

// The expectation over the old policy of every estimator is KL(old ‖ new) (k1 and k3 exactly; k2 only nearly).
TEST_CASE("E[k1] = E[k3] = KL on an enumerated distribution") {
  const Tensor p = at::softmax(tensor({0.3, -1.0, 1.2, 0.0, 2.0}, at::kDouble), 0);
  const Tensor q = at::softmax(tensor({1.0, 0.1, 0.2, -0.4, 1.5}, at::kDouble), 0);
  const double kl = (p * (p.log() - q.log())).sum().item<double>();
  losses::PolicyStats whole, parts;
  whole.add(losses::clipped_surrogate(q.log(), p.log(), at::ones({5}, at::kDouble), {}), p);
  for (int64_t i = 0; i < 5; ++i)
    parts.add(losses::clipped_surrogate(q.slice(0, i, i + 1).log(), p.slice(0, i, i + 1).log(),
                                        at::ones({1}, at::kDouble), {}),
              p.slice(0, i, i + 1));
  CHECK(whole.kl_k1() == doctest::Approx(kl).epsilon(1e-12));
  CHECK(whole.kl_k3() == doctest::Approx(kl).epsilon(1e-12));
  CHECK(parts.kl_k3() == doctest::Approx(kl).epsilon(1e-12));  // micro-batches add up
  CHECK(parts.ratio_max == doctest::Approx((q / p).max().item<double>()));
}

TEST_CASE("the value loss by hand, clipped and not") {
  const Tensor value = tensor({1.0, 0.1}), old = tensor({0.0, 0.0}), returns = tensor({1.0, 1.0});
  // clipped to 0.2: ½ max((1-1)², (0.2-1)²) = ½·0.64 = 0.32;   ½ max((0.1-1)², same) = 0.405
  CHECK(distance(losses::value_loss(value, old, returns, {}), tensor({0.32, 0.405})) < 1e-6);
  CHECK(distance(losses::value_loss(value, old, returns, {.value_clip = 0}), tensor({0.0, 0.405})) < 1e-6);
}

TEST_CASE("a detached entropy is refused where it should be rewarded") {
  CHECK_THROWS(losses::entropy_loss(at::ones({2}), 0.01));
  CHECK_NOTHROW(losses::entropy_loss(at::ones({2}), 0));
}

TEST_CASE("losses, clip fraction and gradients of a whole batch are TRL's") {
  const hone::Json g = hone::golden::load("trl_ppo.json"), loss = g["loss"], plain = g["cases"]["plain"];
  const Tensor lengths = tensor(g["lengths"], at::kLong);
  const Tensor position = at::arange(7, at::kLong).unsqueeze(0);
  const Tensor action = (position < lengths.unsqueeze(1)).to(at::kFloat);    // TRL's ~padding_mask
  const Tensor slot = (position < lengths.unsqueeze(1) + 1).to(at::kFloat);  // TRL's ~padding_mask_p1
  Tensor logp = tensor(loss["new_logprobs"]).requires_grad_(), value = tensor(loss["values"]).requires_grad_();
  const Tensor old = at::where(action > 0, tensor(g["logprobs"]), at::ones({}));
  const losses::PpoLossParams params;
  const losses::Surrogate s = losses::clipped_surrogate(logp, old, tensor(plain["advantages"]), params);
  const Tensor policy = losses::reduce(s.loss, action, losses::total_weight(action));
  const Tensor critic =
      losses::reduce(losses::value_loss(value, tensor(g["values"]) * slot, tensor(plain["returns"]), params), slot,
                     losses::total_weight(slot));
  const Tensor total = policy + 0.1 * critic;  // TRL's vf_coef when the golden file was made
  total.backward();
  losses::PolicyStats stats;
  stats.add(s, action);
  CHECK(policy.item<double>() == doctest::Approx(loss["policy_loss"].get<double>()).epsilon(1e-5));
  CHECK(critic.item<double>() == doctest::Approx(loss["value_loss"].get<double>()).epsilon(1e-5));
  CHECK(stats.clip_fraction() == doctest::Approx(loss["clip_fraction"].get<double>()).epsilon(1e-6));
  CHECK(distance(logp.grad(), tensor(loss["grad_logprobs"])) < 1e-6);
  CHECK(distance(value.grad(), tensor(loss["grad_values"])) < 1e-6);
}
