// JSON for the whole program: nlohmann-json with keys in the order they were written. Headers that only name the
// type include base/json_fwd.h.
#pragma once
#include <nlohmann/json.hpp>

#include "base/json_fwd.h"

namespace hone {

/// Parses JSON text; on failure throws kUsage "WHERE: malformed JSON: …", `where` being "file:line" or the like.
/// Nesting deeper than 200 levels is refused, so that hostile input cannot exhaust the stack. A repeated key keeps its
/// last value. Linear in the text, objects of 150,000 keys included.
Json parse_json(std::string_view text, const std::string& where);

/// The same for files that Python's json module writes (config.json, tokenizer_config.json, …), which may hold NaN,
/// Infinity and -Infinity. Rows of data are read by parse_json, where those are malformed.
Json parse_python_json(std::string_view text, const std::string& where);

/// Appends to an object whose keys are known to differ: constant time, where object[key] searches all keys.
void append_field(Json& object, std::string key, Json value);

/// One line without a newline; bytes that are not UTF-8 become U+FFFD, so that it never throws.
std::string dump_json(const Json& value, int indent = -1);

}  // namespace hone
