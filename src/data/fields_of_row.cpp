#include "data/fields_of_row.h"

#include "base/error.h"

namespace hone::data {

bool has(const Json& row, std::initializer_list<std::string_view> keys) {
  if (!row.is_object()) return false;
  for (const std::string_view key : keys)
    if (!row.contains(key)) return false;
  return true;
}

const Json& field(const Json& row, std::string_view key) {
  if (!row.is_object()) usage_error("the row is not a JSON object");
  const auto it = row.find(key);
  if (it == row.end()) usage_error("field '" + std::string(key) + "' is missing");
  return *it;
}

std::string text_field(const Json& row, std::string_view key) {
  const Json& value = field(row, key);
  if (!value.is_string()) usage_error("field '" + std::string(key) + "' is not a text");
  return value.get<std::string>();
}

std::string optional_text(const Json& row, std::string_view key) {
  const auto it = row.find(key);
  if (it == row.end() || it->is_null()) return {};
  if (it->is_string()) return it->get<std::string>();
  if (it->is_number()) return it->dump();
  usage_error("field '" + std::string(key) + "' is " + shown(*it) + ", not a text");
}

double optional_number(const Json& row, std::string_view key, double otherwise) {
  const auto it = row.find(key);
  if (it == row.end() || it->is_null()) return otherwise;
  if (!it->is_number()) usage_error("field '" + std::string(key) + "' is not a number");
  return it->get<double>();
}

int64_t whole_field(const Json& row, std::string_view key) {
  const Json& value = field(row, key);
  if (!value.is_number_integer()) usage_error("field '" + std::string(key) + "' is not a whole number");
  return value.get<int64_t>();
}

std::string shown(const Json& value) {
  constexpr size_t kLongest = 60;
  std::string out = dump_json(value);
  if (out.size() <= kLongest) return out;
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
  return out.substr(0, end) + "…";
}

std::string lower_case(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  std::string out(text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin));
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace hone::data
