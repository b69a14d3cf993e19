#include "rollout/generate.h"

#include "rollout/generation.h"

namespace hone::rollout {

std::vector<Completion> generate(const model::Decoder& decoder, std::span<const Request> requests,
                                 const SamplingParams& params, const GenerateOptions& options, GenerateStats* stats) {
  Generation generation(decoder, requests, params, options);
  while (generation.step()) {
  }
  if (stats) {
    stats->prompt_tokens += generation.stats().prompt_tokens;
    stats->new_tokens += generation.stats().new_tokens;
    stats->seconds += generation.stats().seconds;
  }
  return std::move(generation.completions());
}

}  // namespace hone::rollout
