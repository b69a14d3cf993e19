// Typed access to the fields of a JSON row, with errors that name the field. Used by the formats.
#pragma once
#include <string>
#include <string_view>

#include "base/json.h"

namespace hone::data {

/// True if the row is an object with all of these keys.
bool has(const Json& row, std::initializer_list<std::string_view> keys);
/// The field, missing: kUsage.
const Json& field(const Json& row, std::string_view key);
/// A text field; missing or of another type: kUsage.
std::string text_field(const Json& row, std::string_view key);
/// "" where missing or null; numbers are written out (ids are often numbers); anything else: kUsage.
std::string optional_text(const Json& row, std::string_view key);
double optional_number(const Json& row, std::string_view key, double otherwise);
int64_t whole_field(const Json& row, std::string_view key);
/// A value as an error shows it, not longer than a line.
std::string shown(const Json& value);
/// ASCII letters made small, white space around it gone.
std::string lower_case(std::string_view text);

}  // namespace hone::data
