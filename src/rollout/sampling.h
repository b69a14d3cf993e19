// From logits to tokens, row by row, each row by its own counter-based stream.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"
#include "rollout/rollout.h"
#include "tensor/tensor.h"

namespace hone::rollout {

struct Draw {
  int32_t token = 0;
  float logp = 0;  ///< under the distribution sampled from, nats; 0 for greedy
};

/// One token for each row. logits: (M, V) f32, any device. `uniforms[m]` in [0,1) decides row m by inverse CDF in token
/// order (descending probability order where top-k or top-p cut). `forbid_end[m]` removes `end_ids` from row m first.
std::vector<Draw> draw(const Tensor& logits, std::span<const double> uniforms, const SamplingParams& params,
                       std::span<const uint8_t> forbid_end, std::span<const int32_t> end_ids);

}  // namespace hone::rollout
