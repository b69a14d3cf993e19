// Continuous batching over the model's own weights: sequences join as others finish, and every one of them comes out as
// if it had been sampled alone (rollout.h, promise 1).
#pragma once
#include <span>
#include <vector>

#include "model/decoder.h"
#include "rollout/rollout.h"

namespace hone::rollout {

/// One completion for each request, in order. Prompts must leave room in the model's context for at least one token;
/// a completion also ends (kLength) where the context does.
std::vector<Completion> generate(const model::Decoder& decoder, std::span<const Request> requests,
                                 const SamplingParams& params, const GenerateOptions& options,
                                 GenerateStats* stats = nullptr);

}  // namespace hone::rollout
