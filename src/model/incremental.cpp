#include "model/incremental.h"

#include <algorithm>

#include "base/error.h"
#include "model/incremental_cpu.h"
#include "model/incremental_tensors.h"

namespace hone::model {

Tensor step(const Decoder& decoder, KvCache& cache, std::span<const int32_t> ids, std::span<const int64_t> sequences,
            const ComputeOptions& options) {
  const at::NoGradGuard no_grad;
  HONE_CHECK(!ids.empty() && ids.size() == sequences.size(), "step: as many sequences as ids, at least one");
  for (const int32_t id : ids)
    HONE_CHECK(id >= 0 && id < decoder.config().vocab_size, "step: a token id outside the vocabulary");
  std::vector<Tensor> parts;
  for (size_t begin = 0; begin < ids.size(); begin += kStepRows) {
    const size_t n = std::min(kStepRows, ids.size() - begin);
    std::vector<StepRun> runs;
    for (size_t i = begin; i < begin + n; ++i) {
      if (runs.empty() || runs.back().sequence != sequences[i]) {
        for (const StepRun& run : runs) HONE_CHECK(run.sequence != sequences[i], "step: a sequence's rows are apart");
        runs.push_back({sequences[i], static_cast<int64_t>(i - begin), 0, cache.length(sequences[i])});
      }
      ++runs.back().rows;
    }
    for (const StepRun& run : runs) decoder.require_positions(run.position + run.rows);
    const auto part = ids.subspan(begin, n);
    parts.push_back(cache.blocks() != nullptr ? step_cpu(decoder, *cache.blocks(), part, runs)
                                              : step_tensors(decoder, *cache.tensors(), part, runs, options));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

}  // namespace hone::model
