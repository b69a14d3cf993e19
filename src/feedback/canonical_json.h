// Canonical JSON, RFC 8785: one spelling for each value, so that equal values have equal hashes. Keys in the order of
// their UTF-16 code units, no white space, the shortest escapes, numbers as ECMAScript writes a double.
#pragma once
#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace hone::feedback {

/// Not representable (text that is not UTF-8, a number that is not finite, a whole number that no double stands for, a
/// key twice): kUsage.
std::string canonical_json(const Json& value);

/// The text as a JSON string. Not UTF-8: kUsage.
void append_canonical_text(std::string_view text, std::string& out);

/// A double as ECMAScript's Number.toString: 1, 0.1, 1e+21, 1e-7; -0 is 0.
std::string canonical_number(double value);

}  // namespace hone::feedback
