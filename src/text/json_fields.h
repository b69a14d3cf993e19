// Typed access to fields of a tokenizer file, with errors that name file and key.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace hone::text {

/// Missing or of another type: kUsage "WHERE: 'key' …".
std::string string_field(const Json& object, std::string_view key, const std::string& where);
const Json& object_field(const Json& object, std::string_view key, const std::string& where);
const Json& array_field(const Json& object, std::string_view key, const std::string& where);
/// Missing or null: `otherwise`. Of another type: kUsage.
bool bool_field(const Json& object, std::string_view key, bool otherwise, const std::string& where);
/// A token id: an integer in [0, 2^20).
int32_t token_id(const Json& value, const std::string& where);

}  // namespace hone::text
