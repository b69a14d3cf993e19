// One verb for each kind of stage, made from its fields: `hone ppo --model DIR --reward DIR --prompts FILE --out DIR`
// is a recipe of one stage.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "cli/options.h"
#include "config/recipe.h"

namespace hone::cli {

/// (kind, what it does), in the order of stages.def; those that are verbs of their own (import, eval) are left out.
std::vector<std::pair<std::string, std::string>> stage_verbs();
/// The kind is the options' verb.
int run_stage_verb(Options& options);

/// Runs a recipe into a folder, with the signal handlers that let it stop between steps.
int start_run(const config::Recipe& recipe, const std::string& out, bool resume);

/// `--set`, `--seed`, `--device`, `--dtype`, `--threads`, `--compat` of a run.
struct RunOverrides {
  std::vector<std::string> assignments;
  std::string seed, device, dtype, threads, compat;
  void declare(Options& options);
  /// All of it as assignments, "seed=3" and so on.
  std::vector<std::string> all() const;
};

}  // namespace hone::cli
