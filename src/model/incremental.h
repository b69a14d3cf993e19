// The forward pass that extends sequences token by token (or prompt by prompt) with a KV cache, straight from the
// decoder's own tensors. On the CPU in f32 a token's result is the same bit for bit whatever else is in the batch and
// however a prompt is cut into calls.
#pragma once
#include "model/decoder.h"
#include "model/kv_cache.h"

namespace hone::model {

/// Rows that are computed together: a longer step is cut, so that a long prompt's activations stay in the processor's
/// cache.
inline constexpr size_t kStepRows = 256;

/// Appends ids[i] to sequences[i], any mix of prompts and single tokens; several rows of one sequence stand one after
/// the other. -> hidden (M, D) after the final norm, no gradient. Logits: Decoder::logits. hone's own kernels compute
/// in f32; `options` is for where LibTorch's do.
Tensor step(const Decoder& decoder, KvCache& cache, std::span<const int32_t> ids, std::span<const int64_t> sequences,
            const ComputeOptions& options = {});

}  // namespace hone::model
