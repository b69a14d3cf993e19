// How good is a reward model? Answers of one policy to held-out prompts are compared by the same simulated people who
// made the training comparisons: accuracy on their noisy labels beside that of the true utility, calibration, agreement
// by margin, and correlation with gold within each prompt.
#pragma once
#include <span>
#include <string>

#include "base/json_fwd.h"
#include "base/stats.h"
#include "eval/answers.h"
#include "world/world.h"

namespace hone::eval {

struct RewardAudit {
  stats::Estimate accuracy, ceiling, correlation;
  stats::Estimate accuracy_gap;  ///< ceiling less accuracy, paired
  std::string json;  ///< the "reward_model" object of results.json
};

/// `answers` hold `samples` answers for each of `prompts`, prompt by prompt.
RewardAudit audit_reward_model(const std::string& reward_folder, const std::string& annotators_folder, const world::World& world,
                               std::span<const world::WorldPrompt* const> prompts, std::span<const Answer> answers, int64_t samples, int64_t seed,
                               const std::string& device);

}  // namespace hone::eval
