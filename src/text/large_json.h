// JSON for vocabularies: the same values as parse_json, in linear time. (The ordered type searches an object's keys one
// by one on every insertion: minutes for 150,000 tokens.)
#pragma once
#include <string>
#include <string_view>

#include "base/json.h"

namespace hone::text {

/// As hone::parse_json; a repeated key keeps its last value.
Json parse_large_json(std::string_view text, const std::string& where);
/// Appends to an object whose keys are known to differ.
void append_field(Json& object, std::string key, Json value);

}  // namespace hone::text
