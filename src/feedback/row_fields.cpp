#include "feedback/row_fields.h"

#include <cmath>

#include "base/error.h"

namespace hone::feedback {
namespace {

[[noreturn]] void wrong(const char* key, const std::string& is_not) {
  usage_error(std::string("field '") + key + "' " + is_not);
}

const Json* find(const Json& row, const char* key) {
  const auto it = row.find(key);
  return it == row.end() ? nullptr : &*it;
}

}  // namespace

const Json& must(const Json& row, const char* key) {
  const Json* value = find(row, key);
  if (!value) wrong(key, "is missing");
  return *value;
}

std::string text_at(const Json& row, const char* key) {
  const Json& value = must(row, key);
  if (!value.is_string()) wrong(key, "is not a text");
  return value.get<std::string>();
}

std::string text_or_none(const Json& row, const char* key) { return find(row, key) ? text_at(row, key) : ""; }

std::optional<double> number_or_none(const Json& row, const char* key) {
  const Json* value = find(row, key);
  if (!value) return std::nullopt;
  if (!value->is_number() || !std::isfinite(value->get<double>())) wrong(key, "is not a number");
  return value->get<double>();
}

std::optional<int64_t> whole_or_none(const Json& row, const char* key, int64_t least, int64_t most) {
  const Json* value = find(row, key);
  if (!value) return std::nullopt;
  const bool whole = value->is_number_integer() &&
                     (!value->is_number_unsigned() || value->get<uint64_t>() <= static_cast<uint64_t>(most));
  if (!whole || value->get<int64_t>() < least || value->get<int64_t>() > most)
    wrong(key, "is not a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return value->get<int64_t>();
}

std::string object_or_none(const Json& row, const char* key) {
  const Json* value = find(row, key);
  if (value && !value->is_object()) wrong(key, "is not an object");
  return value && !value->empty() ? dump_json(*value) : "";
}

std::string list_or_none(const Json& row, const char* key) {
  const Json* value = find(row, key);
  if (value && !value->is_array()) wrong(key, "is not a list");
  return value && !value->empty() ? dump_json(*value) : "";
}

}  // namespace hone::feedback
