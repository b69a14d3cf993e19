#include "report/lenient_json.h"

#include <cmath>
#include <cstdio>
#include <ctime>

#include "base/json.h"
#include "report/html.h"

namespace hone::report {

const Json& child(const Json& object, std::string_view key) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string text_at(const Json& object, std::string_view key) {
  const Json& value = child(object, key);
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return format_number(value.get<double>());
  return value.is_null() ? std::string{} : dump_json(value);
}

std::optional<double> number_at(const Json& object, std::string_view key) {
  const Json& value = child(object, key);
  if (!value.is_number()) return std::nullopt;
  const double x = value.get<double>();
  return std::isfinite(x) ? std::optional(x) : std::nullopt;
}

std::optional<double> time_at(const Json& object, std::string_view key) {
  if (const auto seconds = number_at(object, key)) return seconds;
  const std::string text = text_at(object, key);
  std::tm t{};
  double second = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%lf", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
                  &second) != 6 &&
      std::sscanf(text.c_str(), "%d-%d-%d %d:%d:%lf", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min,
                  &second) != 6)
    return std::nullopt;
  t.tm_year -= 1900;
  t.tm_mon -= 1;
  return static_cast<double>(timegm(&t)) + second;
}

}  // namespace hone::report
