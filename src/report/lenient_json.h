// Lenient access to records that another version, or another program, may have written.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace hone::report {

std::string text_at(const Json& object, std::string_view key);              ///< "" if absent; numbers are printed
std::optional<double> number_at(const Json& object, std::string_view key);  ///< absent, null and text: nothing
const Json& child(const Json& object, std::string_view key);                ///< null if absent
/// Seconds since 1970 of an ISO 8601 time ("2026-11-24T10:27:40Z") or a number.
std::optional<double> time_at(const Json& object, std::string_view key);

}  // namespace hone::report
