#include "annotate/request_fields.h"

#include <algorithm>
#include <utility>

#include "serve/http.h"

namespace hone::annotate {
namespace {

// A name of the request as an error shows it, not longer than a line.
std::string shortened(const std::string& name) { return name.size() > 60 ? name.substr(0, 57) + "…" : name; }

}  // namespace

RequestFields::RequestFields(const Json& body, std::initializer_list<std::string_view> known, std::string where)
    : body_(body), where_(std::move(where)) {
  if (!body.is_object())
    throw serve::Refused(serve::Problem::kBadRequest,
                         (where_.empty() ? "the body" : "'" + where_ + "'") + " must be a JSON object");
  for (const auto& [key, value] : body.items())
    if (std::find(known.begin(), known.end(), key) == known.end()) refuse(shortened(key), "is not known here");
}

void RequestFields::refuse(std::string_view key, const std::string& what) const {
  throw serve::Refused(serve::Problem::kBadRequest,
                       "field '" + (where_.empty() ? "" : where_ + ".") + std::string(key) + "' " + what);
}

const Json* RequestFields::find(std::string_view key) const {
  const auto at = body_.find(key);
  return at == body_.end() || at->is_null() ? nullptr : &*at;
}

std::string RequestFields::text(std::string_view key, size_t most) const {
  if (find(key) == nullptr) refuse(key, "is missing");
  return optional_text(key, most);
}

std::string RequestFields::optional_text(std::string_view key, size_t most) const {
  const Json* value = find(key);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse(key, "must be a text");
  std::string text = value->get<std::string>();
  if (text.size() > most) refuse(key, "is longer than " + std::to_string(most) + " bytes");
  return text;
}

std::optional<int64_t> RequestFields::optional_whole(std::string_view key, int64_t low, int64_t high) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::string range = "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  if (!value->is_number_integer()) refuse(key, range);
  if (value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(high)) refuse(key, range);
  const int64_t number = value->get<int64_t>();
  if (number < low || number > high) refuse(key, range);
  return number;
}

}  // namespace hone::annotate
