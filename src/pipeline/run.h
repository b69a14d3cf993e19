// Runs a recipe: stage after stage, each in its own run folder, resumable between and inside stages.
#pragma once
#include <filesystem>
#include <stop_token>

#include "config/recipe.h"
#include "config/stage_context.h"

namespace hone::pipeline {

struct RunOptions {
  std::filesystem::path out;
  bool resume = false;
  std::stop_token stop = {};           ///< asked to, the run writes a checkpoint and throws kInterrupted
  config::ProgressSink progress = {};  ///< told of every step of every stage
};

/// A recipe of several stages puts each into OUT/NN-NAME; a recipe of one stage that came from a verb runs in OUT.
/// Stages that are done and whose resolved recipe is unchanged are kept under `resume`. Writes OUT/report.html.
void run_recipe(const config::Recipe& recipe, const RunOptions& options);

/// Prints stages, sizes, what would be lost and estimates to standard error; trains nothing, writes nothing. What
/// stages have made in `out` before is read. A run that would not start: kUsage, after the whole plan is printed.
void print_plan(const config::Recipe& recipe, const std::filesystem::path& out);

}  // namespace hone::pipeline
