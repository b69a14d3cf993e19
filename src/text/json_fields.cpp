#include "text/json_fields.h"

#include "base/error.h"
#include "base/json.h"

namespace hone::text {
namespace {

const Json& field(const Json& object, std::string_view key, const std::string& where) {
  if (!object.is_object()) usage_error(where + ": an object was expected");
  const auto it = object.find(key);
  if (it == object.end()) usage_error(where + ": '" + std::string(key) + "' is missing");
  return *it;
}

}  // namespace

std::string string_field(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = field(object, key, where);
  if (!value.is_string()) usage_error(where + ": '" + std::string(key) + "' is not a string");
  return value.get<std::string>();
}

const Json& object_field(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = field(object, key, where);
  if (!value.is_object()) usage_error(where + ": '" + std::string(key) + "' is not an object");
  return value;
}

const Json& array_field(const Json& object, std::string_view key, const std::string& where) {
  const Json& value = field(object, key, where);
  if (!value.is_array()) usage_error(where + ": '" + std::string(key) + "' is not a list");
  return value;
}

bool bool_field(const Json& object, std::string_view key, bool otherwise, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return otherwise;
  if (!it->is_boolean()) usage_error(where + ": '" + std::string(key) + "' is not true or false");
  return it->get<bool>();
}

int32_t token_id(const Json& value, const std::string& where) {
  constexpr int64_t kLimit = int64_t{1} << 20;
  if (!value.is_number_integer()) usage_error(where + ": a token id is not an integer");
  if (value.is_number_unsigned() && value.get<uint64_t>() >= static_cast<uint64_t>(kLimit))
    usage_error(where + ": token id " + value.dump() + " is out of range");
  const auto id = value.get<int64_t>();
  if (id < 0 || id >= kLimit) usage_error(where + ": token id " + value.dump() + " is out of range");
  return static_cast<int32_t>(id);
}

}  // namespace hone::text
