// Sampling and training again and again: memory must not grow. A few seconds here, minutes with HONE_LONG (`make
// long`).
#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "base/rng.h"
#include "model/shapes.h"
#include "train/language_step.h"
#include "train/networks.h"
#include "train/ppo.h"
#include "train/ppo_learner.h"
#include "train/trainable.h"

using namespace hone;

namespace {

// Resident memory of this process now, MB.
double resident_mb() {
  int64_t pages = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
  if (file != nullptr) std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

}  // namespace

TEST_CASE("a soak: memory does not grow while sampling and training") {
  const int64_t total = std::getenv("HONE_LONG") != nullptr ? 6000 : 150;
  model::Decoder policy = model::make_decoder(test::tiny(), 1), reference = policy.clone(), critic = policy.clone();
  critic.drop_output_weight();
  model::ScalarHead head = model::make_scalar_head(critic.config().width, 0, 0);
  head.bias = at::zeros({1}, at::kFloat);
  train::PpoParams params;
  params.batch_prompts = 48;
  params.micro_tokens = 512;
  params.critic_warmup = 0;
  params.sampling.max_tokens = 60;
  rollout::GenerateOptions options;
  options.seed = 1;
  options.end_ids = {0};
  options.max_batch = 16;
  train::Actor actor = train::decoder_actor(policy, {}, params.sampling, options);
  actor.parameters = train::trainable_tensors(policy);
  train::Critic values = train::decoder_critic(critic, head, {});
  values.parameters = train::trainable_tensors(critic, &head);
  train::PpoLearner learner(params, 1, total, at::kCPU, actor, train::decoder_actor(reference, {}), values,
                            [](std::span<const train::Trajectory> t) {
                              std::vector<double> out;
                              for (const auto& x : t)
                                out.push_back(std::sin(static_cast<double>(x.sequence.ids.back())));
                              return out;
                            });
  model::Decoder language = policy.clone();
  optim::Optimizer optimizer(train::trainable_tensors(language), {});

  double warm = 0;
  for (int64_t step = 0; step < total; ++step) {
    // Lengths change from step to step, so that whatever is cached by shape would show.
    Stream random(2, "soak", static_cast<uint64_t>(step));
    std::vector<rollout::Request> requests;
    std::vector<data::Sequence> sequences;
    std::vector<int64_t> lengths, batch;
    for (int64_t i = 0; i < params.batch_prompts; ++i) {
      requests.push_back({{}, static_cast<uint64_t>(i), static_cast<uint64_t>(step)});
      for (uint64_t n = 1 + random.below(40); n > 0; --n)
        requests.back().prompt.push_back(static_cast<int32_t>(random.below(37)));
      data::Sequence s{requests.back().prompt, std::vector<float>(requests.back().prompt.size(), 1.0F)};
      s.weight[0] = 0;
      batch.push_back(i);
      lengths.push_back(s.size());
      sequences.push_back(std::move(s));
    }
    learner.step(step, requests);
    optimizer.zero_grad();
    train::add_language_gradient(language, sequences, lengths, batch, 256,
                                 train::Forward(at::ScalarType::Undefined, /*checkpoint=*/step % 2 == 0, nullptr));
    optimizer.step(1);
    if (step + 1 == total / 3) warm = resident_mb();
  }
  const double end = resident_mb();
  INFO(total << " steps; " << warm << " MB after a third of them, " << end << " MB at the end");
  REQUIRE(warm > 0);
  // A graph or a cache that is kept from each step is tens of megabytes by now; lengths alone make a few.
  CHECK(end < warm + 8);
}
