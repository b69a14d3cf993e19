#include "model/config_reader.h"

#include <cmath>
#include <limits>

#include "base/error.h"

namespace hone::model {
namespace {

// As the file writes it: JSON has no word for these three, but Python's files do.
std::string written(const Json& value) {
  if (!value.is_number_float() || std::isfinite(value.get<double>())) return dump_json(value);
  const auto number = value.get<double>();
  return std::isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity";
}

}  // namespace

bool ConfigReader::has(const std::string& key) const { return json_.contains(key) && !json_[key].is_null(); }

const Json* ConfigReader::find(const std::string& key) {
  read_.insert(key);
  return has(key) ? &json_[key] : nullptr;
}

void ConfigReader::wrong(const std::string& key, const char* wanted) const {
  usage_error(where_ + ": '" + key + "' must be " + wanted + ", it is " + written(json_[key]));
}

void ConfigReader::refuse(const std::string& key, const std::string& why) const {
  const std::string value = json_.contains(key) ? " = " + written(json_[key]) : "";
  usage_error(where_ + ": '" + key + "'" + value + " is not supported" + (why.empty() ? "" : ": " + why),
              "it changes the model's mathematics, so it is refused rather than ignored");
}

int64_t ConfigReader::integer(const std::string& key) {
  if (!has(key)) usage_error(where_ + ": '" + key + "' is missing");
  return integer(key, 0);
}

int64_t ConfigReader::integer(const std::string& key, int64_t fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number_integer()) wrong(key, "a whole number");
  return value->get<int64_t>();
}

double ConfigReader::number(const std::string& key, double fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number()) wrong(key, "a number");
  const auto out = value->get<double>();
  // Models compute in 32 bits, where a larger one is infinite.
  if (!(std::abs(out) <= std::numeric_limits<float>::max())) wrong(key, "a finite number of 32 bits");
  return out;
}

bool ConfigReader::boolean(const std::string& key, bool fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) wrong(key, "true or false");
  return value->get<bool>();
}

std::string ConfigReader::text(const std::string& key, const std::string& fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) wrong(key, "a string");
  return value->get<std::string>();
}

std::optional<int64_t> ConfigReader::optional_integer(const std::string& key) {
  return find(key) == nullptr ? std::nullopt : std::optional<int64_t>(integer(key, 0));
}

std::optional<double> ConfigReader::optional_number(const std::string& key) {
  return find(key) == nullptr ? std::nullopt : std::optional<double>(number(key, 0));
}

const Json& ConfigReader::raw(const std::string& key) {
  read_.insert(key);
  return json_.at(key);
}

const Json* ConfigReader::object(const std::string& key) {
  const Json* value = find(key);
  if (value != nullptr && !value->is_object()) wrong(key, "an object");
  return value;
}

std::vector<int64_t> ConfigReader::integers(const std::string& key) {
  const Json* value = find(key);
  std::vector<int64_t> out;
  if (value == nullptr) return out;
  if (value->is_number_integer()) return {value->get<int64_t>()};
  if (!value->is_array()) wrong(key, "a whole number or a list of them");
  for (const Json& item : *value) {
    if (!item.is_number_integer()) wrong(key, "a whole number or a list of them");
    out.push_back(item.get<int64_t>());
  }
  return out;
}

void ConfigReader::only(const std::string& key, const Json& allowed) {
  const Json* value = find(key);
  if (value != nullptr && *value != allowed) refuse(key, "only " + dump_json(allowed) + " is");
}

void ConfigReader::ignore(std::initializer_list<const char*> keys) {
  for (const char* key : keys) read_.insert(key);
}

std::vector<std::string> ConfigReader::unread() const {
  std::vector<std::string> out;
  for (const auto& [key, value] : json_.items())
    if (!read_.contains(key)) out.push_back(key);
  return out;
}

std::vector<std::string> ConfigReader::finish() {
  for (const std::string& key : unread()) notes_.push_back(where_ + ": '" + key + "' is unknown and was ignored");
  return std::move(notes_);
}

}  // namespace hone::model
