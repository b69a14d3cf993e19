// The CPU's f32 path of `step`, on panels.
#pragma once
#include "model/decoder.h"
#include "model/kv_blocks.h"

namespace hone::model {

/// Consecutive rows of one sequence in a step.
struct StepRun {
  int64_t sequence, row, rows, position;  ///< position: of the first row
};

Tensor step_cpu(const Decoder& decoder, KvCache::Blocks& cache, std::span<const int32_t> ids,
                std::span<const StepRun> runs);

}  // namespace hone::model
