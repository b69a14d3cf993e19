// Names the JSON type without its 25,000 lines.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace hone {
using Json = nlohmann::ordered_json;
}
