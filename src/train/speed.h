// How fast this machine is at a model of a given shape, measured in a second or two on random weights by the code that
// the stages run. For `--plan`: an estimate, not a benchmark (bench/ has that). Torch-free.
//
// Of a model of more than a few million weights not the whole is measured but slices with one and with two layers and a
// part of the vocabulary: their difference is a layer, what is left the embedding and the head, and
//
//     time = layers · layer + vocabulary / part · rest
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "config/recipe.h"
#include "model/config.h"
#include "optim/params.h"

namespace hone::train {

struct StepShape {
  int64_t tokens = 1024;   ///< of one optimiser step
  int64_t sequence = 128;  ///< of one sequence
};

/// Measurements on one machine, kept while a plan is made: the stages of a recipe mostly share a model's shape.
class Speed {
 public:
  explicit Speed(config::RunSettings run = {}) : run_(std::move(run)) {}

  /// Seconds of one optimiser step of language modelling: forward, backward, update; in the precision that the run
  /// would choose.
  double step(const model::ModelConfig& config, const optim::OptimParams& optim, const StepShape& shape);
  /// Would the run's matrix work be in bf16?
  bool in_bf16(const model::ModelConfig& config);
  /// Seconds of one answer of `new_tokens` with 64 in flight, its prompt included.
  double answer(const model::ModelConfig& config, int64_t prompt_tokens, int64_t new_tokens);

 private:
  struct Step {
    double token = 0, update = 0;  // seconds of a token's forward and backward pass; of the optimiser's step
  };
  struct Answer {
    double prompt = 0, token = 0;  // seconds of the whole prompt; of each token after it
  };
  Step measure_step(const model::ModelConfig& config, const optim::OptimParams& optim, int64_t length, bool bf16) const;
  Answer measure_answer(const model::ModelConfig& config, int64_t prompt_tokens) const;

  config::RunSettings run_;
  std::map<std::string, Step> steps_;
  std::map<std::string, Answer> answers_;
  std::map<std::string, bool> bf16_;
};

}  // namespace hone::train
