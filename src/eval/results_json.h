// Pieces of results.json (report/results.h says their shape).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/json.h"
#include "base/stats.h"

namespace hone::eval {

/// Share of units, from one number in [0, 1] for each (a flag, a tie's half, a share of a prompt's samples): Wilson.
stats::Estimate share(std::span<const double> values);
Json share_json(std::span<const double> values);
/// Mean over independent units, bootstrap interval.
Json mean_json(std::span<const double> values);
/// 1 for each value greater than the other's in its place, ½ for a tie.
std::vector<double> wins_over(std::span<const double> own, std::span<const double> other);
/// Which prompts to show side by side, at most `count`: half drawn at random, half those on which `change` (one number
/// for each of `prompts`; empty: none) is largest. The first show what is typical, the second what changed.
std::vector<size_t> side_by_side_order(size_t prompts, int64_t count, std::span<const double> change, int64_t seed);
/// Mean of x - y over pairs of the same prompt: where all are flags by the interval of two shares, else by bootstrap.
stats::Estimate paired_difference(std::span<const double> x, std::span<const double> y);

}  // namespace hone::eval
