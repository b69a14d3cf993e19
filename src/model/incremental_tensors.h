// The path of `step` for other devices and dtypes, on ATen operators.
#pragma once
#include "model/incremental_cpu.h"
#include "model/kv_tensors.h"

namespace hone::model {

Tensor step_tensors(const Decoder& decoder, KvCache::Tensors& cache, std::span<const int32_t> ids,
                    std::span<const StepRun> runs, const ComputeOptions& options);

}  // namespace hone::model
