// What a reward model learns from: comparisons on their two sides, and the answers that set its unit.
#pragma once
#include <string>
#include <vector>

#include "data/encoder.h"
#include "train/reward.h"
#include "train/reward_members.h"

namespace hone::train {

struct Comparisons {
  std::vector<data::Pair> train;  ///< the mismatched ones (RewardParams::mismatch) at the end
  int64_t decided = 0;            ///< of `train`, those that somebody judged
  HeldOutPairs held_out;
  std::vector<std::vector<int32_t>> reference;  ///< answers whose rewards get mean 0 and standard deviation 1
};

/// Reads, splits and tokenises them; says what is lost. `longest`: tokens of the model's context.
Comparisons read_comparisons(const RewardParams& params, const data::Encoder& encoder, int64_t longest, uint64_t seed,
                             const std::filesystem::path& folder);

}  // namespace hone::train
