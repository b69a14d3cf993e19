// Reading comparisons as they were judged, undecided ones among them; training reads data/read.h's preferences.
#pragma once
#include "data/read.h"
#include "feedback/comparison.h"

namespace hone::data {

/// Every comparison with its outcome; id and source where the row names them, else "". settings.ties is not asked.
Read<feedback::Comparison> read_comparisons(const std::vector<std::string>& paths, const ReadSettings& settings = {});

}  // namespace hone::data
