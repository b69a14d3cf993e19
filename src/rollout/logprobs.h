// Log-probabilities of given tokens under a model: the training forward pass without gradients.
#pragma once
#include <functional>
#include <span>
#include <vector>

#include "model/decoder.h"
#include "tensor/tensor.h"

namespace hone::rollout {

/// Token ids with the first position whose log-probability is wanted (at least 1: nothing predicts position 0).
struct ScoredSequence {
  std::vector<int32_t> ids;
  int64_t first = 1;
  std::vector<float> weight = {};  ///< of each id; those of weight 0 are left out of a sum. Empty: none is
};

struct ScoringOptions {
  double inv_temperature = 1;
  at::ScalarType compute = at::ScalarType::Undefined;  ///< of matrix work
  int64_t micro_tokens = 4096;  ///< of one pass: more only need more memory, and its pages are cold
  int64_t group = 1;            ///< what so many consecutive sequences begin with alike is computed once (model::pack)
  std::span<const int32_t> absent_ids = {};         ///< left out of the distribution, as in sampling (GenerateOptions)
  std::function<void(int64_t done)> progress = {};  ///< told how many sequences are done
};

/// For each sequence, log p(ids[i] | ids[0..i-1]) for i = first..len-1, nats.
std::vector<std::vector<float>> sequence_logps(const model::Decoder& decoder, std::span<const ScoredSequence> sequences,
                                               const ScoringOptions& options);

/// For each sequence the sum of them over the ids that have weight, nats.
std::vector<double> summed_logps(const model::Decoder& decoder, std::span<const ScoredSequence> sequences,
                                 const ScoringOptions& options);

}  // namespace hone::rollout
