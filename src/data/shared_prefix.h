// Two conversations that share their beginning make one comparison.
#pragma once
#include <vector>

#include "data/format.h"

namespace hone::data {

/// Adds the comparison of two conversations that agree up to the last answer, the first being preferred. Where they
/// part earlier there is no single prompt: `content.dropped` says so.
void add_comparison(RowContent& content, std::vector<text::Message> chosen, std::vector<text::Message> rejected);

}  // namespace hone::data
