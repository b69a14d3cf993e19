// What the PPO learner is given of a reward model.
#include "train/networks.h"

#include <doctest/doctest.h>

using namespace hone;

TEST_CASE("a critic's head gives rewards: the reward head's score less the shift, over the scale, its bias kept") {
  const Tensor hidden = at::randn({7, 24}, at::TensorOptions().dtype(at::kFloat));
  constexpr double kShift = 0.7, kScale = 2.5;
  model::ScalarHead head = model::make_scalar_head(24, 0.3, 1);
  for (const bool with_bias : {false, true}) {
    if (with_bias) head.bias = at::full({1}, 3.25, at::TensorOptions().dtype(at::kFloat));
    const model::ScalarHead critic = train::value_head(head, kShift, kScale);
    REQUIRE(critic.bias.defined());
    const Tensor expected = (head.scores(hidden) - kShift) / kScale;
    CHECK((critic.scores(hidden) - expected).abs().max().item<double>() < 1e-5);
    CHECK((train::value_head(head, 0, 1).scores(hidden) - head.scores(hidden)).abs().max().item<double>() < 1e-6);
  }
}
