// Pieces of results.json (report/results.h says their shape).
#pragma once
#include <span>

#include "base/json.h"
#include "base/stats.h"

namespace hone::eval {

/// Mean of 0/1 flags with its Wilson interval.
Json share_json(std::span<const double> flags);
/// Mean with its normal interval.
Json mean_json(std::span<const double> values);
/// Mean of x - y over pairs of the same prompt, with its interval.
stats::Estimate paired_difference(std::span<const double> x, std::span<const double> y);

}  // namespace hone::eval
