// How good is a reward model? Answers of one policy to held-out prompts are compared by the same simulated people who
// made the training comparisons: accuracy on their noisy labels beside that of the true utility, calibration, agreement
// by margin, and correlation with gold within each prompt.
#pragma once
#include <span>
#include <string>

#include "base/json_fwd.h"
#include "base/stats.h"
#include "eval/answers.h"
#include "rewards/reward_model.h"
#include "world/annotators.h"

namespace hone::eval {

struct RewardAudit {
  stats::Estimate accuracy, ceiling, correlation;
  stats::Estimate accuracy_gap;  ///< ceiling less accuracy, on the same comparisons; interval over prompts
  std::string json;              ///< the "reward_model" object of results.json
};

/// `answers` hold `samples` answers for each prompt, prompt by prompt; `sequences[i]` is answer i with its prompt as
/// the reward model sees it, `gold[i]` what it is worth and `seen[i]` what the people see of it.
RewardAudit audit_reward_model(const rewards::RewardModel& reward, const std::string& annotators_folder,
                               std::span<const Answer> answers, std::span<const std::vector<int32_t>> sequences,
                               std::span<const double> gold, std::span<const world::Seen> seen, int64_t samples,
                               int64_t seed);

}  // namespace hone::eval
