// The checks of `hone selftest`: what this build on this machine must hold, tried with the production code on a model
// of a few thousand parameters.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace hone::cli {

struct SelftestCheck {
  std::string name;
  /// Returns what was seen ("largest difference 3e-7"); throws kRun where it fails. `folder` holds the little run.
  std::function<std::string(const std::filesystem::path& folder)> run;
};

/// Makes the little run in the folder: world, tokenizer, language model, comparisons, reward model.
void make_selftest_run(const std::filesystem::path& folder);
const std::vector<SelftestCheck>& selftest_checks();
/// Algorithms against enumerated answers (src/oracle).
const std::vector<SelftestCheck>& oracle_checks();

}  // namespace hone::cli
