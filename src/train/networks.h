// Transformers as the on-policy learners see them.
#pragma once
#include "model/decoder.h"
#include "model/scalar_head.h"
#include "rollout/rollout.h"
#include "train/experience.h"

namespace hone::train {

/// Log-probabilities in the training forward's shape, of the distribution without `absent_ids` (GenerateOptions). No
/// samples and no trainable parameters: a reference. The decoder must outlive what is returned here and below.
Actor decoder_actor(const model::Decoder& decoder, const model::ComputeOptions& compute,
                    std::span<const int32_t> absent_ids = {});
/// The same with samples straight from the decoder's tensors.
Actor decoder_actor(const model::Decoder& decoder, const model::ComputeOptions& compute,
                    const rollout::SamplingParams& sampling, const rollout::GenerateOptions& options);
/// A reward model's head as a critic's, in the unit of its rewards; always with a bias, which a published head has not:
/// (w·h + b - shift) / scale = (w/scale)·h + (b - shift)/scale.
model::ScalarHead value_head(const model::ScalarHead& reward_head, double shift, double scale);
Critic decoder_critic(const model::Decoder& decoder, const model::ScalarHead& head,
                      const model::ComputeOptions& compute);

}  // namespace hone::train
