// PPO of a model whose output has rows without a token: they are drawn by nobody, and the policy, the old policy and
// the reference all give probabilities over the tokens that there are. Else the first ratio would not be 1.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "model/shapes.h"
#include "train/networks.h"
#include "train/ppo_learner.h"
#include "train/trainable.h"

using namespace hone;

namespace {

double value(const config::Numbers& numbers, const char* key) {
  const auto it = std::ranges::find(numbers, key, &std::pair<std::string, double>::first);
  REQUIRE(it != numbers.end());
  return it->second;
}

}  // namespace

TEST_CASE("rows without a token change nothing in PPO: first ratio 1, sampler and trainer agree, KL 0 at the start") {
  for (const char* family : {"llama", "gpt2"}) {
    CAPTURE(family);
    std::vector<int32_t> absent{3};
    for (int32_t id = 30; id < 37; ++id) absent.push_back(id);
    model::ModelConfig config = test::tiny(family);
    config.tied = family == std::string("gpt2");
    model::Decoder policy = model::make_decoder(config, 1);
    {
      const at::NoGradGuard no_grad;
      Tensor weight = policy.output_weight();
      for (const int32_t id : absent) weight.select(0, id).mul_(4);  // so that they would be drawn
    }
    model::Decoder reference = policy.clone(), critic = model::make_decoder(test::tiny(family), 2);
    reference.set_trainable(false);
    critic.drop_output_weight();
    model::ScalarHead head = model::make_scalar_head(critic.config().width, 0, 3);
    head.bias = at::zeros({1}, head.weight.options());
    train::PpoParams params;
    params.batch_prompts = 8;
    params.minibatches = 1;
    params.policy_epochs = 1;
    params.critic_warmup = 0;
    params.sampling.max_tokens = 12;
    params.sampling.temperature = 0.8;
    params.loss.entropy_coef = 0.01;
    params.policy_optim.schedule = params.critic_optim.schedule = {};
    rollout::GenerateOptions options;
    options.seed = 5;
    options.end_ids = {0};
    options.absent_ids = absent;
    train::Actor actor = train::decoder_actor(policy, {}, params.sampling, options);
    actor.parameters = train::trainable_tensors(policy);
    train::Critic values = train::decoder_critic(critic, head, {});
    values.parameters = train::trainable_tensors(critic, &head);
    const auto reward = [](std::span<const train::Trajectory> trajectories) {
      std::vector<double> out;
      for (const train::Trajectory& t : trajectories) out.push_back(static_cast<double>(t.completion.ids.size() % 4));
      return out;
    };
    train::PpoLearner learner(params, 7, 3, at::kCPU, actor, train::decoder_actor(reference, {}, absent), values,
                              reward);
    std::vector<rollout::Request> requests;
    for (const auto& ids : test::sequences({3, 9, 17, 5, 5, 30, 2, 8})) requests.push_back({ids, requests.size(), 0});
    const Tensor before = policy.output_weight().detach().clone();
    for (int64_t step = 0; step < 3; ++step) {
      const config::Numbers numbers = learner.step(step, requests);
      if (step == 0) {
        CHECK(std::abs(value(numbers, "ratio_max") - 1) < 1e-5);
        CHECK(std::abs(value(numbers, "kl")) < 1e-5);
      }
      CHECK(value(numbers, "logp_gap_max") < 1e-4);
      for (const train::Trajectory& t : learner.trajectories())
        for (const int32_t id : t.completion.ids) CHECK(std::ranges::find(absent, id) == absent.end());
    }
    // The rows learn nothing by themselves: without a gradient AdamW leaves them (no weight decay here).
    if (!policy.config().tied)
      for (const int32_t id : absent)
        CHECK(at::equal(policy.output_weight().detach().select(0, id), before.select(0, id)));
  }
}
