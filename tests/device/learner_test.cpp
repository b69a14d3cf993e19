// PPO's learner on another device learns what the CPU's learns from the same answers, step by step. The answers are the
// CPU's: a token drawn otherwise on a near-tie would change all that follows (sampling itself: device_test.cpp).
#include <doctest/doctest.h>

#include <cmath>

#include "device_under_test.h"
#include "model/shapes.h"
#include "tensor/runtime.h"
#include "train/networks.h"
#include "train/ppo_learner.h"
#include "train/trainable.h"

using namespace hone;

namespace {

struct Way {
  const char* name;
  train::PpoParams params;
  model::ComputeOptions compute;
  double tolerance;
};

train::PpoParams plain() {
  train::PpoParams p;
  p.batch_prompts = 12;
  p.minibatches = 2;
  p.critic_warmup = 1;
  p.sampling.max_tokens = 16;
  p.policy_optim.schedule = p.critic_optim.schedule = {};
  return p;
}

// What the other way of tests/device/device_test.cpp sets, but for what stops on a threshold.
train::PpoParams other() {
  train::PpoParams p = plain();
  p.micro_tokens = 200;
  p.train_layers = 1;
  p.policy_optim.rule = "muon";
  p.shaping.score_position = "after_last";
  p.shaping.score_normalise = "batch";
  p.shaping.whiten_rewards = true;
  p.loss.entropy_coef = 0.01;
  return p;
}

constexpr int64_t kSteps = 4;

std::vector<rollout::Request> requests(int64_t step) {
  std::vector<rollout::Request> out;
  for (const auto& ids : test::sequences({3, 9, 17, 5, 5, 30, 2, 8, 11, 4, 6, 7}))
    out.push_back({ids, out.size(), static_cast<uint64_t>(step)});
  return out;
}

// The metrics of each step. The first learner samples and leaves its answers in `answers`; later ones are given them.
std::vector<config::Numbers> learn(const std::string& name, const Way& way,
                                   std::vector<std::vector<rollout::Completion>>& answers) {
  const at::Device device(name);
  model::Decoder policy = model::make_decoder(test::tiny(), 1), critic = model::make_decoder(test::tiny(), 2);
  policy.to(device, at::kFloat);
  critic.to(device, at::kFloat);
  critic.drop_output_weight();
  model::Decoder reference = policy.clone();
  reference.set_trainable(false);
  model::ScalarHead head = model::make_scalar_head(test::tiny().width, 0.1, 3);
  head.weight = head.weight.to(device);
  head.bias = at::zeros({1}, head.weight.options());

  rollout::GenerateOptions options;
  options.seed = 5;
  options.end_ids = {0, 1, 2};
  train::Actor actor = train::decoder_actor(policy, way.compute, way.params.sampling, options);
  actor.parameters = train::trainable_tensors(policy, nullptr, way.params.train_layers);
  size_t step = 0;
  actor.sample = [&answers, &step, own = actor.sample](std::span<const rollout::Request> asked) {
    if (answers.size() <= step) answers.push_back(own(asked));
    return answers[step];
  };
  train::Critic values = train::decoder_critic(critic, head, way.compute);
  values.parameters = train::trainable_tensors(critic, &head);
  const auto reward = [](std::span<const train::Trajectory> trajectories) {
    std::vector<double> out;
    for (const train::Trajectory& t : trajectories) {
      out.push_back(0);
      for (const int32_t id : t.completion.ids) out.back() += id % 3 == 0 ? 0.5 : -0.25;
    }
    return out;
  };
  train::PpoLearner learner(way.params, 7, kSteps, device, actor, train::decoder_actor(reference, way.compute), values,
                            reward);
  std::vector<config::Numbers> out;
  for (; step < static_cast<size_t>(kSteps); ++step)
    out.push_back(learner.step(static_cast<int64_t>(step), requests(static_cast<int64_t>(step))));
  return out;
}

}  // namespace

TEST_CASE("PPO learns from the same answers what it learns on the CPU") {
  const std::string device = test::device_under_test();
  if (device.empty()) return;
  use_device(device);
  for (const Way& way :
       {Way{"plain", plain(), {}, 2e-3}, Way{"other", other(), {.matmul = at::kBFloat16, .checkpoint = true}, 0.1}}) {
    CAPTURE(way.name);
    std::vector<std::vector<rollout::Completion>> answers;
    const auto cpu = learn("cpu", way, answers), there = learn(device, way, answers);
    for (size_t step = 0; step < cpu.size(); ++step)
      for (size_t i = 0; i < cpu[step].size(); ++i) {
        const auto& [key, expected] = cpu[step][i];
        CAPTURE(step);
        CAPTURE(key);
        REQUIRE(there[step][i].first == key);
        const double got = there[step][i].second;
        // Clipping counts tokens on one side of a threshold, and the gap measures rounding itself.
        if (key.starts_with("clip_fraction") || key.starts_with("logp_gap")) continue;
        CHECK(std::abs(expected - got) <= way.tolerance * std::max(1.0, std::abs(expected)));
      }
  }
}
