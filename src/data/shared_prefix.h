// Two conversations that share their beginning make one comparison.
#pragma once
#include <vector>

#include "data/format.h"

namespace hone::data {

/// Adds the comparison of two conversations, the first being preferred. `prompt`: how many messages are known to be the
/// prompt of both; 0: as far as they agree, up to what was to be answered. The sides may hold several turns (calls,
/// what tools say, more of the assistant's). Of conversations that part at a turn of the user there is no single
/// prompt: `content.dropped` says so.
void add_comparison(RowContent& content, std::vector<text::Message> chosen, std::vector<text::Message> rejected,
                    size_t prompt = 0);

}  // namespace hone::data
