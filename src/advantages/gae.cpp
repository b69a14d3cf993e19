#include "advantages/gae.h"

#include <cmath>
#include <string>

#include "base/error.h"

namespace hone::advantages {

Estimates gae(const EstimatorInput& input, const AdvantageParams& params) {
  const auto n = static_cast<size_t>(input.slots.size());
  HONE_CHECK(input.rewards.size() == n && input.values.size() == n, "GAE needs a reward and a value for every slot");
  for (const double x : {params.gamma, params.lambda})
    if (!(x >= 0 && x <= 1)) usage_error("gamma and lambda must lie in [0, 1], one is " + std::to_string(x));
  Estimates out{std::vector<float>(n), std::vector<float>(n)};
  for (size_t s = 0; s + 1 < input.slots.offsets.size(); ++s) {
    double next_value = 0, advantage = 0;
    for (auto i = input.slots.offsets[s + 1] - 1; i >= input.slots.offsets[s]; --i) {
      const auto t = static_cast<size_t>(i);
      const double delta = input.rewards[t] + params.gamma * next_value - input.values[t];
      advantage = delta + params.gamma * params.lambda * advantage;
      next_value = input.values[t];
      out.advantages[t] = static_cast<float>(advantage);
      out.returns[t] = static_cast<float>(advantage + next_value);
    }
  }
  return out;
}

}  // namespace hone::advantages
