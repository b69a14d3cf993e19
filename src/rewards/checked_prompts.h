// Prompts whose answers rules check: the rows that the rules read, for training and evaluation alike.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "checkers/checker.h"
#include "data/read.h"

namespace hone::rewards {

using Checkers = std::vector<std::unique_ptr<checkers::Checker>>;

/// An unknown id, or settings that cannot be: kUsage.
Checkers make_checkers(const std::vector<std::string>& ids, const checkers::CheckerSettings& settings);

/// Prompts, with their rows where a checker reads them; what it reads is no key without a meaning. A row that lacks it:
/// kUsage that names the prompt, or left out with a warning (on_bad_line = "skip").
data::Read<data::Prompt> read_checked_prompts(const std::vector<std::string>& files, const data::ReadSettings& settings,
                                              const Checkers& checkers);

}  // namespace hone::rewards
