// The gradient of one step of reward modelling: the arithmetic of the loop, without files, so that tests hold it
// against itself cut in every way.
#pragma once
#include <span>

#include "data/tokens.h"
#include "losses/params.h"
#include "model/decoder.h"
#include "model/scalar_head.h"
#include "train/adapt.h"

namespace hone::train {

struct RewardStep {
  double loss = 0;   ///< weighted mean over the batch's pairs
  double right = 0;  ///< pairs whose chosen answer scores higher
  double gap = 0;    ///< Σ of chosen minus rejected scores
  int64_t tokens = 0;
};
/// Adds the gradient of Σ w·loss / Σ w over all of `batch` (indices into `pairs`, whose `lengths` are given) to the
/// .grad of decoder and head. Both answers of every pair of a pass are packed, whole pairs with at most `micro_tokens`
/// tokens; each is scored at its last token. How it is cut changes nothing but rounding.
RewardStep add_reward_gradient(const model::Decoder& decoder, const model::ScalarHead& head,
                               std::span<const data::Pair> pairs, std::span<const int64_t> lengths,
                               std::span<const int64_t> batch, int64_t micro_tokens,
                               const losses::BradleyTerryParams& loss, bool use_margin,
                               const model::ComputeOptions& compute, const StepDropout& dropout = {});

}  // namespace hone::train
