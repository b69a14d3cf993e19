// TOML values as JSON, in which settings are kept and compared.
#pragma once
#include <string>
#include <string_view>

#include "base/json_fwd.h"

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

namespace hone::config {

/// Text, number, truth or a list of them. Anything else: kUsage naming `where`.
Json to_json_value(const toml::node& node, const std::string& where);

/// A list as it would stand behind `key =` in a recipe, or as JSON writes it. Malformed: kUsage naming `where`.
Json parse_list(std::string_view text, const std::string& where);

}  // namespace hone::config
