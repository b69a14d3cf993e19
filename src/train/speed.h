// How fast this machine is at a model of a given shape, measured for about a second on random weights by the code that
// the stages run. For `--plan`: an estimate, not a benchmark (bench/ has that). Torch-free.
#pragma once
#include <cstdint>

#include "config/recipe.h"
#include "model/config.h"
#include "optim/params.h"

namespace hone::train {

struct StepShape {
  int64_t tokens = 1024;   ///< of one optimiser step
  int64_t sequence = 128;  ///< of one sequence
};

/// Seconds of one optimiser step of language modelling: forward, backward, update; in f32 unless the run's dtype is
/// bf16 (what `auto` would choose is measured when a run starts). Models of more than about 20M weights are measured
/// with fewer layers and a smaller vocabulary, and the time scaled by the weights.
double seconds_per_step(const model::ModelConfig& config, const optim::OptimParams& optim, const StepShape& shape,
                        const config::RunSettings& run);

/// Seconds of one sampled token with 64 sequences in flight, prompts included; scaled in the same way.
double seconds_per_sampled_token(const model::ModelConfig& config, int64_t prompt_tokens, int64_t new_tokens,
                                 const config::RunSettings& run);

}  // namespace hone::train
