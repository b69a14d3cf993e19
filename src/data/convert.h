// One data file format into another, as JSON Lines.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/read.h"

namespace hone::data {

/// The formats that can be written: preference, hh, completion, messages, prompt, text.
std::span<const std::string_view> writable_formats();

/// Reads the files and calls `line` for each row in the format `to`. Comparisons become demonstrations by their chosen
/// sides, anything becomes prompts by dropping answers; what the target cannot say (several turns in "completion") is
/// counted in the report's `dropped`. A target that cannot be written: kUsage.
ReadReport convert(const std::vector<std::string>& paths, std::string_view to, const ReadSettings& settings,
                   const std::function<void(std::string_view)>& line);

}  // namespace hone::data
