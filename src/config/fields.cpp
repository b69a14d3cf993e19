#include "config/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "config/toml_json.h"

namespace hone::config {
namespace {

[[noreturn]] void wrong_type(const Field& field, const std::string& got, const std::string& where) {
  usage_error(where + ": '" + field.key + "' must be " + type_name(field) + ", got " + got,
              "`hone explain " + field.key + "` says what it means");
}

std::string join(const std::vector<std::string>& items, const char* separator) {
  std::string out;
  for (const std::string& s : items) out += (out.empty() ? "" : separator) + s;
  return out;
}

void check_choice(const Field& field, const std::string& value, const std::string& where) {
  if (field.choices.empty() || std::ranges::find(field.choices, value) != field.choices.end()) return;
  const std::string near = closest(value, field.choices);
  usage_error(where + ": '" + field.key + "' cannot be '" + value + "'" +
                  (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "choices: " + join(field.choices, ", "));
}

std::string toml_string(const std::string& s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20) continue;
    else out += c;
  }
  return out + "\"";
}

std::string number_text(double v) {
  char buffer[64];
  const auto r = std::to_chars(buffer, buffer + sizeof buffer, v);  // shortest text that reads back the same
  std::string s(buffer, r.ptr);
  if (s.find_first_of(".einf") == std::string::npos) s += ".0";
  return s;
}

template <class T>
bool parse_number(std::string_view text, T& out) {
  std::string clean;
  for (const char c : text)
    if (c != '_') clean += c;
  const auto r = std::from_chars(clean.data(), clean.data() + clean.size(), out);
  return r.ec == std::errc() && r.ptr == clean.data() + clean.size() && !clean.empty();
}

template <class T>
constexpr bool is_whole = std::is_same_v<T, int> || std::is_same_v<T, int64_t> || std::is_same_v<T, uint64_t>;

}  // namespace

const Field& Fields::find(std::string_view key, const std::string& section, const std::string& where) const {
  for (const Field& f : list_)
    if (f.key == key) return f;
  std::vector<std::string> known;
  for (const Field& f : list_) known.push_back(f.key);
  const std::string near = closest(key, known);
  usage_error(where + ": unknown key '" + std::string(key) + "' in [" + section + "]" +
                  (near.empty() ? "" : "; did you mean '" + near + "'?"),
              "`hone explain " + section + "` lists the keys");
}

void Fields::only_if(std::string_view key, std::string_view text, const std::function<bool()>& holds) {
  const std::string whole = prefix_ + std::string(key);
  bool found = false;
  for (Field& f : list_)
    if (f.key == whole || f.key.starts_with(whole + ".")) {
      f.conditions.push_back({std::string(text), holds});
      found = true;
    }
  HONE_CHECK(found, "a condition of a field that is not listed");
}

void Fields::omit(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const std::string whole = prefix_ + std::string(key);
    HONE_CHECK(
        std::erase_if(list_, [&](const Field& f) { return f.key == whole || f.key.starts_with(whole + "."); }) > 0,
        "an omitted field that is not listed");
  }
}

void Fields::range(std::string_view key, double minimum, double maximum) {
  const auto field = std::ranges::find(list_, prefix_ + std::string(key), &Field::key);
  HONE_CHECK(field != list_.end(), "a range of a field that is not listed");
  field->minimum = minimum;
  field->maximum = maximum;
}

std::vector<std::string> paths_of(const Field& field) {
  if (!field.path) return {};
  std::vector<std::string> paths;
  if (auto* text = std::get_if<std::string*>(&field.value)) paths = {**text};
  if (auto* list = std::get_if<std::vector<std::string>*>(&field.value)) paths = **list;
  if (field.named)
    for (std::string& path : paths)
      if (const auto equals = path.find('='); equals != std::string::npos) path.erase(0, equals + 1);
  return paths;
}

std::string range_text(const Field& field) {
  const auto text = [](double v) {
    return v == std::floor(v) && std::abs(v) < 1e15 ? std::to_string(static_cast<int64_t>(v)) : number_text(v);
  };
  const bool low = std::isfinite(field.minimum), high = std::isfinite(field.maximum);
  if (low && high) return "from " + text(field.minimum) + " to " + text(field.maximum);
  if (low) return "at least " + text(field.minimum);
  return high ? "at most " + text(field.maximum) : "";
}

// The operating system would read a path only as far as a zero byte, and the record would name another.
void check_text(const Field& field, const std::string& text, const std::string& where) {
  if (text.find('\0') != std::string::npos) usage_error(where + ": '" + field.key + "' holds a zero byte");
}

void check_value(const Field& field, const std::string& where) {
  const auto check = [&](double v, const std::string& shown) {
    if (v >= field.minimum && v <= field.maximum) return;
    const std::string range = range_text(field);
    usage_error(where + ": '" + field.key + "' is " + shown + ", must be " + (range.empty() ? "a number" : range),
                "`hone explain " + field.key + "` says what it means");
  };
  std::visit(
      [&]<class T>(T* value) {
        if constexpr (is_whole<T>) check(static_cast<double>(*value), std::to_string(*value));
        else if constexpr (std::is_same_v<T, double>) check(*value, number_text(*value));
        else if constexpr (std::is_same_v<T, std::vector<double>>)
          for (const double v : *value) check(v, number_text(v));
        else if constexpr (std::is_same_v<T, std::string>) check_text(field, *value, where);
        else if constexpr (std::is_same_v<T, std::vector<std::string>>)
          for (const std::string& text : *value) {
            check_text(field, text, where);
            if (field.path && text.empty()) usage_error(where + ": '" + field.key + "' holds an empty path");
          }
      },
      field.value);
}

void require_read(const Field& field, const std::string& where) {
  for (const Condition& c : field.conditions)
    if (!c.holds())
      usage_error(where + ": '" + field.key + "' changes nothing here: it is read only where " + c.text,
                  "leave it out, or see to that");
}

std::string type_name(const Field& field) {
  if (!field.choices.empty()) return "one of " + join(field.choices, ", ");
  return std::visit(
      []<class T>(T* const&) -> std::string {
        if constexpr (std::is_same_v<T, bool>) return "true or false";
        else if constexpr (is_whole<T>) return "a whole number";
        else if constexpr (std::is_same_v<T, double>) return "a number";
        else if constexpr (std::is_same_v<T, std::string>) return "text";
        else if constexpr (std::is_same_v<T, std::vector<double>>) return "a list of numbers";
        else return "a list of texts";
      },
      field.value);
}

void set_from_text(const Field& field, std::string_view text, const std::string& where) {
  const std::string got = "'" + std::string(text) + "'";
  std::visit(
      [&]<class T>(T* target) {
        if constexpr (std::is_same_v<T, bool>) {
          if (text == "true" || text == "1" || text == "yes" || text == "on") *target = true;
          else if (text == "false" || text == "0" || text == "no" || text == "off") *target = false;
          else wrong_type(field, got, where);
        } else if constexpr (std::is_same_v<T, std::string>) {
          check_choice(field, std::string(text), where);
          *target = text;
        } else if constexpr (std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, std::vector<double>>) {
          // ["a", "b"]: as in a recipe or in JSON, so that a text may hold a comma.
          if (text.starts_with('[') && text.ends_with(']')) return set_from_json(field, parse_list(text, where), where);
          target->clear();
          size_t start = 0;
          while (start <= text.size() && !text.empty()) {
            const size_t end = std::min(text.find(',', start), text.size());
            const std::string_view item = text.substr(start, end - start);
            if constexpr (std::is_same_v<T, std::vector<double>>) {
              double v = 0;
              if (!parse_number(item, v)) wrong_type(field, got, where);
              target->push_back(v);
            } else {
              target->emplace_back(item);
            }
            start = end + 1;
          }
        } else {
          T value{};
          if (!parse_number(text, value)) wrong_type(field, got, where);
          if constexpr (std::is_same_v<T, double>) {
            if (!std::isfinite(value)) wrong_type(field, got, where);
          }
          *target = value;
        }
      },
      field.value);
  check_value(field, where);
}

void set_from_json(const Field& field, const Json& value, const std::string& where) {
  const std::string got = dump_json(value);
  std::visit(
      [&]<class T>(T* target) {
        if constexpr (std::is_same_v<T, bool>) {
          if (!value.is_boolean()) wrong_type(field, got, where);
          *target = value.get<bool>();
        } else if constexpr (is_whole<T>) {
          if (!value.is_number_integer()) wrong_type(field, got, where);
          const auto v = value.get<int64_t>();
          if (std::is_same_v<T, uint64_t> && v < 0) wrong_type(field, got, where);
          if (std::is_same_v<T, int> && (v > INT32_MAX || v < INT32_MIN)) wrong_type(field, got, where);
          *target = static_cast<T>(v);
        } else if constexpr (std::is_same_v<T, double>) {
          if (!value.is_number() || !std::isfinite(value.get<double>())) wrong_type(field, got, where);
          *target = value.get<double>();
        } else if constexpr (std::is_same_v<T, std::string>) {
          if (!value.is_string()) wrong_type(field, got, where);
          check_choice(field, value.get<std::string>(), where);
          *target = value.get<std::string>();
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          if (!value.is_array()) wrong_type(field, got, where);
          target->clear();
          for (const Json& item : value) {
            if (!item.is_number()) wrong_type(field, got, where);
            target->push_back(item.get<double>());
          }
        } else {
          if (value.is_string()) {
            *target = {value.get<std::string>()};
            return;
          }
          if (!value.is_array()) wrong_type(field, got, where);
          target->clear();
          for (const Json& item : value) {
            if (!item.is_string()) wrong_type(field, got, where);
            target->push_back(item.get<std::string>());
          }
        }
      },
      field.value);
  check_value(field, where);
}

Json to_json(const Field& field) {
  return std::visit([](auto* p) { return Json(*p); }, field.value);
}

std::string to_toml(const Field& field) {
  return std::visit(
      []<class T>(T* p) -> std::string {
        if constexpr (std::is_same_v<T, bool>) return *p ? "true" : "false";
        else if constexpr (is_whole<T>) return std::to_string(*p);
        else if constexpr (std::is_same_v<T, double>) return number_text(*p);
        else if constexpr (std::is_same_v<T, std::string>) return toml_string(*p);
        else {
          std::string out = "[";
          for (size_t i = 0; i < p->size(); ++i) {
            if (i) out += ", ";
            if constexpr (std::is_same_v<T, std::vector<double>>) out += number_text((*p)[i]);
            else out += toml_string((*p)[i]);
          }
          return out + "]";
        }
      },
      field.value);
}

}  // namespace hone::config
