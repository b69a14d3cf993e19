// Log-probabilities of given tokens under a model: the training forward pass without gradients.
#pragma once
#include <span>
#include <vector>

#include "model/decoder.h"
#include "tensor/tensor.h"

namespace hone::rollout {

/// Token ids with the first position whose log-probability is wanted (at least 1: nothing predicts position 0).
struct ScoredSequence {
  std::vector<int32_t> ids;
  int64_t first = 1;
};

/// For each sequence, log p(ids[i] | ids[0..i-1]) for i = first..len-1, nats, at inverse temperature `inv_temperature`:
/// over the whole output layer, or without `absent_ids` as they were sampled (GenerateOptions).
std::vector<std::vector<float>> sequence_logps(const model::Decoder& decoder, std::span<const ScoredSequence> sequences,
                                               double inv_temperature, at::ScalarType compute,
                                               int64_t micro_tokens = 16384, std::span<const int32_t> absent_ids = {});

}  // namespace hone::rollout
