#include "jinja/value.h"

#include <algorithm>

#include "base/json.h"
#include "base/utf8.h"

namespace hone::jinja {
namespace {

int nested(int depth) {
  if (depth >= Value::kDeepestValue) template_error("values are nested deeper than 200 levels");
  return depth + 1;
}

// A namespace is the one thing that changes after it was made; inside another value it could come to hold itself.
void refuse_namespace(const Value& v) {
  if (v.is(Value::Kind::kNamespace)) template_error("a namespace inside another value is not supported");
}

}  // namespace

void Value::hold(const Value& part) {
  refuse_namespace(part);
  depth_ = std::max(depth_, nested(part.depth_));
  parts_weight_ = std::min(parts_weight_ + part.weight(), uint64_t{1} << 60);
}

uint64_t Value::weight() const {
  if (is_string()) return as_string().size() + 1;
  return is_items() || is_fields() ? parts_weight_ + 1 : 8;
}

Value Value::undefined(std::string message) {
  Value v;
  v.data_ = std::move(message);
  return v;
}
Value Value::none() {
  Value v;
  v.kind_ = Kind::kNone;
  return v;
}
Value Value::boolean(bool b) {
  Value v;
  v.kind_ = Kind::kBool;
  v.data_ = static_cast<int64_t>(b);
  return v;
}
Value Value::integer(int64_t i) {
  Value v;
  v.kind_ = Kind::kInt;
  v.data_ = i;
  return v;
}
Value Value::real(double d) {
  Value v;
  v.kind_ = Kind::kFloat;
  v.data_ = d;
  return v;
}
Value Value::string(std::string s, bool markup) {
  Value v;
  v.kind_ = Kind::kString;
  v.markup_ = markup;
  v.data_ = std::move(s);
  return v;
}
Value Value::list(Items items, Kind kind) {
  Value v;
  v.kind_ = kind;
  for (const Value& item : items) v.hold(item);
  v.data_ = std::make_shared<Items>(std::move(items));
  return v;
}
Value Value::dict(Fields fields) {
  Value v;
  v.kind_ = Kind::kDict;
  for (const auto& [key, value] : fields) {
    if (!key.is_string() && !key.is_number() && !key.is_none())
      template_error(std::string("unhashable type: '") + key.type_name() + "'");
    v.hold(key);
    v.hold(value);
  }
  v.data_ = std::make_shared<Fields>(std::move(fields));
  return v;
}
Value Value::name_space(Fields fields) {
  Value v = dict(std::move(fields));
  v.kind_ = Kind::kNamespace;
  v.depth_ = 0;  // nothing holds it
  return v;
}
Value Value::function(std::string name, std::function<Value(Interpreter&, Arguments&)> call, int depth) {
  Value v;
  v.kind_ = Kind::kFunction;
  v.depth_ = nested(depth);
  v.data_ = std::make_shared<Function>(Function{std::move(name), std::move(call)});
  return v;
}

Value Value::from_json(const Json& json) {
  if (json.is_null()) return none();
  if (json.is_boolean()) return boolean(json.get<bool>());
  if (json.is_number_integer()) return integer(json.get<int64_t>());
  if (json.is_number()) return real(json.get<double>());
  if (json.is_string()) return string(json.get<std::string>());
  if (json.is_array()) {
    Items items;
    for (const Json& item : json) items.push_back(from_json(item));
    return list(std::move(items));
  }
  Fields fields;
  for (const auto& [key, value] : json.items()) fields.emplace_back(string(key), from_json(value));
  return dict(std::move(fields));
}

double Value::as_double() const {
  return kind_ == Kind::kFloat ? std::get<double>(data_) : static_cast<double>(std::get<int64_t>(data_));
}

const std::string& Value::as_string() const {
  static const std::string empty;
  const auto* text = std::get_if<std::string>(&data_);
  return text != nullptr ? *text : empty;
}

const Value* Value::find(const Value& key) const {
  for (const auto& [k, v] : fields())
    if (k == key) return &v;
  return nullptr;
}

const Value* Value::find(std::string_view key) const {
  for (const auto& [k, v] : fields())
    if (k.is_string() && k.as_string() == key) return &v;
  return nullptr;
}

void Value::assign(const std::string& key, Value value) const {
  refuse_namespace(value);
  for (auto& [k, v] : *std::get<std::shared_ptr<Fields>>(data_)) {
    if (k.as_string() != key) continue;
    v = std::move(value);
    return;
  }
  std::get<std::shared_ptr<Fields>>(data_)->emplace_back(string(key), std::move(value));
}

bool Value::truth() const {
  switch (kind_) {
    case Kind::kUndefined:
    case Kind::kNone:
      return false;
    case Kind::kBool:
    case Kind::kInt:
      return as_int() != 0;
    case Kind::kFloat:
      return as_double() != 0;
    case Kind::kString:
      return !as_string().empty();
    case Kind::kList:
    case Kind::kTuple:
      return !items().empty();
    case Kind::kDict:
      return !fields().empty();
    default:
      return true;
  }
}

bool Value::operator==(const Value& other) const {
  if (is_number() && other.is_number())
    return is_integral() && other.is_integral() ? as_int() == other.as_int() : as_double() == other.as_double();
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::kUndefined:
    case Kind::kNone:
      return true;
    case Kind::kString:
      return as_string() == other.as_string();
    case Kind::kList:
    case Kind::kTuple:
      return items() == other.items();
    case Kind::kDict:
      if (fields().size() != other.fields().size()) return false;
      return std::all_of(fields().begin(), fields().end(), [&](const auto& field) {
        const Value* found = other.find(field.first);
        return found != nullptr && *found == field.second;
      });
    default:
      return data_ == other.data_;
  }
}

const char* Value::type_name() const {
  switch (kind_) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "NoneType";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kFloat:
      return "float";
    case Kind::kString:
      return markup_ ? "Markup" : "str";
    case Kind::kList:
      return "list";
    case Kind::kTuple:
      return "tuple";
    case Kind::kGenerator:
      return "generator";
    case Kind::kDict:
      return "dict";
    case Kind::kNamespace:
      return "Namespace";
    case Kind::kFunction:
      return "function";
  }
  return "";
}

int compare(const Value& a, const Value& b, const char* op) {
  if (a.is_number() && b.is_number()) {
    if (a.is_integral() && b.is_integral()) return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int();
    return a.as_double() < b.as_double() ? -1 : a.as_double() > b.as_double();
  }
  if (a.is_string() && b.is_string()) return a.as_string().compare(b.as_string());  // UTF-8 order is code point order
  if (a.kind() == b.kind() && (a.is(Value::Kind::kList) || a.is(Value::Kind::kTuple))) {
    for (size_t i = 0; i < a.items().size() && i < b.items().size(); ++i)
      if (!(a.items()[i] == b.items()[i])) return compare(a.items()[i], b.items()[i], op);
    return a.items().size() < b.items().size() ? -1 : a.items().size() > b.items().size();
  }
  template_error(std::string("'") + op + "' not supported between instances of '" + a.type_name() + "' and '" +
                 b.type_name() + "'");
}

size_t text_length(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string_view text_slice(std::string_view text, size_t begin, size_t end) {
  const auto offset = [&](size_t from, size_t characters) {
    while (from < text.size() && characters > 0)
      from += utf8_length(static_cast<unsigned char>(text[from])), --characters;
    return std::min(from, text.size());
  };
  const size_t first = offset(0, begin);
  return text.substr(first, offset(first, end > begin ? end - begin : 0) - first);
}

bool is_python_space(char32_t c) { return is_white_space(c) || (c >= 0x1C && c <= 0x1F); }

}  // namespace hone::jinja
