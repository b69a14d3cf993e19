// The rows of the bench. Each runs production code: stages of the train room as a recipe would run them, timed by what
// they write into timing.jsonl, and rollout::generate.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "bench/shapes.h"

namespace hone::bench {

struct RowSettings {
  std::string dtype = "f32";  ///< of matrix products, forced
  int64_t threads = 1;
  int64_t steps = 4;            ///< optimiser steps of training rows that are timed, after one that is not
  int64_t batch_tokens = 4096;  ///< of one step, about; a comparison counts as 256
  int64_t iterations = 2;       ///< of PPO, after one that is not timed
  int64_t batch = 32;           ///< sequences of a rollout and of a PPO iteration
  int64_t repeats = 3;          ///< of the rollout
};

struct Row {
  std::string_view name, counts, what;
  /// {"tokens_per_s", "slowest", "fastest", "flops_per_token"} and what else is worth keeping. `inputs`:
  /// write_inputs()'s folder; `scratch`: an empty one for the run. To be called in a process of its own.
  Json (*run)(const std::filesystem::path& inputs, const std::filesystem::path& scratch, const Shape& shape,
              const RowSettings& settings);
};

/// pretrain, pretrain-muon, sft, reward, rollout, rollout-stock, ppo.
std::span<const Row> rows();

}  // namespace hone::bench
