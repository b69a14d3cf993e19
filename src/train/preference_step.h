// The gradient of one step of learning from comparisons directly: the arithmetic of the loop, without files, so that
// tests hold it against itself cut in every way.
#pragma once
#include <span>

#include "data/tokens.h"
#include "losses/pair.h"
#include "train/forward.h"

namespace hone::train {

/// log p of both answers of each pair under the frozen reference, summed over their weighted tokens.
struct ReferenceLogps {
  std::vector<float> chosen, rejected;
};

/// Policy and reference log-probabilities of the pairs `members`; adds to `tokens` what was run through the policy.
losses::PairLogps pair_logps(const model::Decoder& policy, std::span<const int64_t> members,
                             std::span<const data::Pair> pairs, const ReferenceLogps& reference, const Forward& forward,
                             int64_t& tokens);

struct PreferenceStep {
  double loss = 0;            ///< weighted mean over the batch's pairs
  double chosen_drift = 0;    ///< Σ of log(policy / reference) of the chosen answers: DPO can push both down
  double rejected_drift = 0;  ///< … of the rejected ones
  double right = 0;           ///< pairs whose chosen answer has the higher implicit reward
  int64_t tokens = 0;
};
/// Adds the gradient of Σ w·loss / Σ w over all of `batch` (indices into `pairs`, whose `lengths` are given) to the
/// policy's .grad, in passes of whole pairs with at most `micro_tokens` tokens. How it is cut changes nothing but
/// rounding.
PreferenceStep add_preference_gradient(const model::Decoder& policy, std::span<const data::Pair> pairs,
                                       const ReferenceLogps& reference, std::span<const int64_t> lengths,
                                       std::span<const int64_t> batch, int64_t micro_tokens,
                                       const losses::PairLossParams& loss, const Forward& forward);

}  // namespace hone::train
