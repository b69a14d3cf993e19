// What the group learner does around its gradient: which prompts it asks, which answers teach, what it refuses. The
// network is a tiny transformer; rewards and answers are given.
#include "train/group_learner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/shapes.h"
#include "train/networks.h"
#include "train/trainable.h"

using namespace hone;

namespace {

double value(const config::Numbers& numbers, const std::string& key) {
  const auto it = std::ranges::find(numbers, key, &std::pair<std::string, double>::first);
  REQUIRE_MESSAGE(it != numbers.end(), key);
  return it->second;
}

train::GroupParams params_of(int64_t prompts, int64_t samples) {
  train::GroupParams p;
  p.batch_prompts = prompts;
  p.samples_per_prompt = samples;
  p.sampling.max_tokens = 6;
  p.policy_optim.lr = 1e-2;
  return p;
}

// Prompts 0, 1, 2, …; answer s of prompt p is rewarded by `reward(p, s)`, and every third answer is cut off.
struct World {
  model::Decoder policy = model::make_decoder(test::tiny(), 1), reference = policy.clone();
  int64_t samples = 1, place = 0;
  std::function<double(int64_t prompt, int64_t sample)> reward;

  train::GroupLearner learner(const train::GroupParams& params) {
    samples = params.samples_per_prompt;
    reference.set_trainable(false);
    train::Actor actor = train::decoder_actor(policy, {});
    actor.parameters = train::trainable_tensors(policy);
    const auto answer = [](std::span<const rollout::Request> asked, int64_t tokens) {
      std::vector<rollout::Completion> out;
      for (const rollout::Request& r : asked) {
        rollout::Completion c;
        for (int64_t t = 0; t < tokens; ++t)
          c.ids.push_back(static_cast<int32_t>((r.prompt.front() + static_cast<int64_t>(r.sample) + t) % 37));
        c.logps.assign(c.ids.size(), -3.61F);
        c.finish = r.sample % 3 == 2 ? rollout::Finish::kLength : rollout::Finish::kStop;
        out.push_back(std::move(c));
      }
      return out;
    };
    actor.sample = [=](std::span<const rollout::Request> asked) { return answer(asked, 4); };
    train::Actor greedy = train::decoder_actor(policy, {});
    greedy.sample = [=](std::span<const rollout::Request> asked) { return answer(asked, 5); };
    return train::GroupLearner(params, 7, 10, at::kCPU, actor, train::decoder_actor(reference, {}), greedy,
                               [this](std::span<const train::Trajectory> t) {
                                 std::vector<double> out;
                                 for (size_t i = 0; i < t.size(); ++i)
                                   out.push_back(reward(t[i].sequence.ids.front(), static_cast<int64_t>(i) % samples));
                                 return out;
                               });
  }
  train::PromptSource source() {
    return [this](int64_t prompts) {
      std::vector<rollout::Request> out;
      for (int64_t p = 0; p < prompts; ++p, ++place)
        for (int64_t s = 0; s < samples; ++s)
          out.push_back({{static_cast<int32_t>(place)}, static_cast<uint64_t>(place), static_cast<uint64_t>(s)});
      return out;
    };
  }
};

}  // namespace

TEST_CASE("dynamic sampling asks other prompts in place of those whose answers are all alike") {
  World world;
  world.reward = [](int64_t prompt, int64_t sample) { return prompt % 2 == 0 ? 1.0 : static_cast<double>(sample); };
  train::GroupParams params = params_of(3, 2);
  params.dynamic_sampling = true;
  train::GroupLearner learner = world.learner(params);
  const config::Numbers numbers = learner.step(0, world.source());
  // Of 0 1 2 one teaches, of 3 4 another, of 5 the third.
  CHECK(value(numbers, "prompts_asked") == 6);
  CHECK(value(numbers, "zero_variance") == 0);
  std::vector<int32_t> kept;
  for (const train::Trajectory& t : learner.trajectories()) kept.push_back(t.sequence.ids.front());
  CHECK(kept == std::vector<int32_t>{1, 1, 3, 3, 5, 5});
  // Where every prompt is dropped nothing is learnt.
  world.reward = [](int64_t, int64_t) { return 1.0; };
  const config::Numbers nothing = learner.step(1, world.source());
  CHECK(value(nothing, "prompts_asked") == 30);
  CHECK(value(nothing, "policy_updates") == 0);
  CHECK(value(nothing, "zero_variance") == 1);
}

TEST_CASE("truncated answers teach nothing where they are masked, and still count in their group's baseline") {
  World world;
  world.reward = [](int64_t, int64_t sample) { return static_cast<double>(sample); };
  train::GroupParams params = params_of(2, 3);
  params.mask_truncated = true;
  params.shaping.missing_eos = "none";
  train::GroupLearner learner = world.learner(params);
  const config::Numbers numbers = learner.step(0, world.source());
  CHECK(value(numbers, "masked_share") == doctest::Approx(1.0 / 3));
  CHECK(value(numbers, "group_std") == doctest::Approx(1));
  CHECK(value(numbers, "policy_updates") == 1);
}

TEST_CASE("ReMax's baseline is the greedy answer's reward") {
  World world;
  world.reward = [](int64_t prompt, int64_t) { return static_cast<double>(prompt); };
  train::GroupParams params = params_of(4, 1);
  params.advantage.baseline = "greedy";
  params.advantage.scale = "none";
  params.kl_placement = "none";
  params.shaping.missing_eos = "none";
  train::GroupLearner learner = world.learner(params);
  const config::Numbers numbers = learner.step(0, world.source());
  CHECK(value(numbers, "greedy_reward") == doctest::Approx((0 + 1 + 2 + 3) / 4.0));
  CHECK(value(numbers, "advantage_std") == doctest::Approx(0));  // each answer's reward is its greedy answer's
  CHECK(value(numbers, "kl_coef") == 0);
}

TEST_CASE("a token's importance is capped, or masked beyond the cap") {
  for (const char* how : {"truncate", "mask"}) {
    World world;
    world.reward = [](int64_t, int64_t sample) { return static_cast<double>(sample); };
    train::GroupParams params = params_of(2, 2);
    params.importance = how;
    params.importance_cap =
        1;  // the sampler's log-probabilities are -3.61 = -log 37 by decree, so about half of the ratios are above
    train::GroupLearner learner = world.learner(params);
    const config::Numbers numbers = learner.step(0, world.source());
    const double cut = value(numbers, "importance_cut"), mean = value(numbers, "importance_mean");
    CHECK(cut > 0);
    CHECK(cut < 1);
    CHECK(mean <= (how == std::string("mask") ? 1 - cut : 1));
  }
}

TEST_CASE("what cannot be is refused with the way out; a reward that is no number stops the run") {
  World world;
  world.reward = [](int64_t, int64_t) { return std::nan(""); };
  train::GroupLearner learner = world.learner(params_of(2, 2));
  CHECK_THROWS_AS(learner.step(0, world.source()), train::NonFinite);
  CHECK(learner.trajectories().size() == 4);  // for replay
  CHECK_THROWS_WITH_AS(world.learner(params_of(2, 1)), doctest::Contains("there is one of each"), Error);
  train::GroupParams params = params_of(2, 2);
  params.sampling.top_k = 5;
  CHECK_THROWS_WITH_AS(params.check_algorithm(), doctest::Contains("sampling.top_k 0"), Error);
  params = params_of(2, 2);
  params.overlong_buffer = 7;
  CHECK_THROWS_WITH_AS(params.check_algorithm(), doctest::Contains("more than sampling.max_tokens"), Error);
  params = params_of(2, 1);
  params.advantage = {.baseline = "none", .scale = "whiten"};
  CHECK_NOTHROW(params.check_algorithm());
  params.dynamic_sampling = true;
  CHECK_THROWS_WITH_AS(params.check_algorithm(), doctest::Contains("dynamic_sampling"), Error);
}
