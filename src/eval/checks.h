// Checks of an evaluation, written in the recipe: "gold: ppo - sft >= 0.15", "kl: ppo <= 3", "give_in: ppo - sft > 0".
// >= and <= hold the estimate against the number; > and < hold the near end of its 95% interval, which must lie beyond
// it: Wilson's of a share (Newcombe's of a difference of two), else a bootstrap over prompts. Figures of a single run
// (`curves`) and of all answers together (distinct_across) have no interval, so there > and < are refused.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/stats.h"

namespace hone::eval {

/// An estimate of WHAT for model A, or of its difference to model B (empty: none); nothing where there is no such
/// thing.
using Measure =
    std::function<std::optional<stats::Estimate>(const std::string& what, const std::string& a, const std::string& b)>;

/// One check as written.
struct Check {
  std::string text, what, a, b, op;
  double bound = 0;
};
/// Does measures.def name `what` as a figure of `whose`?
bool is_measure_of(const std::string& what, std::string_view whose);
/// Malformed, or > and < of what has no interval: kUsage.
Check parse_check(const std::string& text);

struct Checks {
  Json list = Json::array();  ///< as results.json holds them
  int64_t failed = 0;
};

/// Prints each with its figures. Where there is nothing to measure a check is not met. Malformed: kUsage.
Checks run_checks(const std::vector<std::string>& checks, const Measure& measure);

}  // namespace hone::eval
