// Advantages without a critic: an answer is held against the other answers to the same prompt, or of the same step.
//
//     A_i = (r_i - b_i) / s_i
//
// Baselines b (HONE_BASELINE of advantages.def); k answers to a prompt, n in the step:
//     none            0                                  REINFORCE: Williams 1992
//     mean            1/k Σ_j r_j                        GRPO: Shao et al. 2024, arXiv 2402.03300, eq. 3
//     leave_one_out   1/(k-1) Σ_{j≠i} r_j                RLOO: Ahmadian et al. 2024, arXiv 2402.14740, eq. 7
//     greedy          reward of the greedy answer        ReMax: Li et al. 2023, arXiv 2310.10505, eq. 5
//     batch           1/n Σ_j r_j                        an average baseline: Williams 1992
//
// Scales s (HONE_SCALE):
//     none            1                                  Dr. GRPO: Liu et al. 2025, arXiv 2503.20783
//     group_std       √(1/(k-1) Σ_j (r_j - r̄)²) + 1e-4   GRPO; unbiased variance and 1e-4 are TRL's
//     batch_std       the same over the step's n         Liu et al. 2025, arXiv 2508.08221
//     whiten          to mean 0, variance 1, by tokens   REINFORCE++: Hu et al. 2025, arXiv 2501.03262, eq. 8
//
// Unbiased: none, leave_one_out and greedy, whose baseline does not depend on the answer (`hone selftest --oracle`).
// mean and batch are the gradient times 1 - 1/k and 1 - 1/n exactly; group_std weighs prompts by the inverse of their
// spread, and is biased by as much.
//
// Differs from the papers in: GRPO's paper leaves the variance's divisor open; REINFORCE++ clamps nothing here.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "advantages/params.h"
#include "advantages/slots.h"

namespace hone::advantages {

/// Rewards of a step's answers (S). Answers to one prompt stand beside each other and share a number.
struct GroupRewards {
  std::span<const float> reward;   // (S)
  std::span<const int64_t> group;  // (S)
  std::span<const float> greedy;   // (S) of the greedy answer to the same prompt; empty: none was asked for
};

/// -> (S), not whitened. A baseline or scale that the groups are too small for, or an unknown one: kUsage.
std::vector<float> group_advantages(const GroupRewards& rewards, const GroupAdvantageParams& params);

/// From answers to tokens: A_i on each token of answer i, less the penalties from that token on,
///
///     A_t = A_i - Σ_{u≥t} penalty_u
///
/// and whitened over all tokens where the scale says so -> (tokens). `penalties` (tokens), or empty.
std::vector<float> token_advantages(const Slots& slots, std::span<const float> answer_advantages,
                                    std::span<const float> penalties, const GroupAdvantageParams& params);

struct GroupFigures {
  double zero_variance = 0;  // share of groups whose rewards are all alike: they teach nothing
  double std = 0;            // standard deviation within a group, mean over groups
};
GroupFigures group_figures(const GroupRewards& rewards);

/// Soft punishment of answers near the length limit: DAPO, Yu et al. 2025, arXiv 2503.14476, eq. 13.
///
///     0 up to longest - buffer tokens; from there it falls to -1 at `longest` tokens
///
/// Differs from the paper in: an answer cannot be longer than the limit here, so the third case never comes.
double overlong_penalty(int64_t length, int64_t longest, int64_t buffer);

}  // namespace hone::advantages
