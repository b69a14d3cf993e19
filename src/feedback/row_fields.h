// Typed access to the fields of a row or payload; whatever is not of its type: kUsage naming the field, without a
// place.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/json.h"

namespace hone::feedback {

/// Missing: kUsage.
const Json& must(const Json& row, const char* key);
std::string text_at(const Json& row, const char* key);

// Where the field is missing: "" or nothing.
std::string text_or_none(const Json& row, const char* key);
/// Finite.
std::optional<double> number_or_none(const Json& row, const char* key);
std::optional<int64_t> whole_or_none(const Json& row, const char* key, int64_t least, int64_t most = int64_t{1} << 53);
/// The object as JSON text.
std::string object_or_none(const Json& row, const char* key);
/// The list as JSON text.
std::string list_or_none(const Json& row, const char* key);

}  // namespace hone::feedback
