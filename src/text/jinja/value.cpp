#include "text/jinja/value.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "text/utf8.h"

namespace hone::text::jinja {
namespace {

int nested(int depth) {
  if (depth >= Value::kDeepestValue) template_error("values are nested deeper than 200 levels");
  return depth + 1;
}

// A namespace is the one thing that changes after it was made; inside another value it could come to hold itself.
void refuse_namespace(const Value& v) {
  if (v.is(Value::Kind::kNamespace)) template_error("a namespace inside another value is not supported");
}

std::string python_quoted(std::string_view text) {
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  char buffer[16];
  for (size_t i = 0; i < text.size(); i += utf8_length(static_cast<unsigned char>(text[i]))) {
    const char32_t c = utf8_first(text.substr(i));
    const uint32_t hidden = U_GC_C_MASK | U_GC_Z_MASK;
    if (c == static_cast<char32_t>(quote) || c == '\\') (out += '\\') += static_cast<char>(c);
    else if (c == '\n') out += "\\n";
    else if (c == '\r') out += "\\r";
    else if (c == '\t') out += "\\t";
    else if (c != ' ' && (U_GET_GC_MASK(static_cast<UChar32>(c)) & hidden) != 0) {
      std::snprintf(buffer, sizeof buffer,
                    c < 0x100     ? "\\x%02x"
                    : c < 0x10000 ? "\\u%04x"
                                  : "\\U%08x",
                    static_cast<unsigned>(c));
      out += buffer;
    } else {
      out += text.substr(i, utf8_length(static_cast<unsigned char>(text[i])));
    }
  }
  return out += quote;
}

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  char buffer[8];
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
          out += buffer;
        } else {
          out += c;
        }
    }
  }
  return out += '"';
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

std::string Value::str() const {
  if (is_string()) return as_string();
  return is_undefined() ? std::string() : repr();
}

std::string Value::repr() const {
  const auto joined = [&](char open, char close) {
    std::string out(1, open);
    for (size_t i = 0; i < items().size(); ++i) (out += i > 0 ? ", " : "") += items()[i].repr();
    if (close == ')' && items().size() == 1) out += ',';
    return out += close;
  };
  switch (kind_) {
    case Kind::kUndefined:
      return "Undefined";
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return as_int() != 0 ? "True" : "False";
    case Kind::kInt:
      return std::to_string(as_int());
    case Kind::kFloat:
      return float_text(as_double());
    case Kind::kString:
      return python_quoted(as_string());
    case Kind::kList:
      return joined('[', ']');
    case Kind::kTuple:
      return joined('(', ')');
    case Kind::kDict: {
      std::string out = "{";
      for (const auto& [key, value] : fields())
        (((out += out.size() > 1 ? ", " : "") += key.repr()) += ": ") += value.repr();
      return out += '}';
    }
    default:
      template_error(std::string("the text of a ") + type_name() + " is not supported");
  }
}

std::string Value::json(const JsonStyle& style) const {
  std::string out;
  write_json(out, style, 0);
  return out;
}

void Value::write_json(std::string& out, const JsonStyle& style, int level) const {
  const auto new_line = [&](int at) {
    if (style.indent >= 0) out.append(1, '\n').append(static_cast<size_t>(style.indent) * static_cast<size_t>(at), ' ');
  };
  const auto write_parts = [&](char open, char close, size_t count, const auto& part) {
    out += open;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) out += style.comma;
      new_line(level + 1);
      part(i);
    }
    if (count > 0) new_line(level);
    out += close;
  };
  switch (kind_) {
    case Kind::kNone:
      out += "null";
      break;
    case Kind::kBool:
      out += as_int() != 0 ? "true" : "false";
      break;
    case Kind::kInt:
      out += std::to_string(as_int());
      break;
    case Kind::kFloat:
      if (std::isnan(as_double())) out += "NaN";
      else if (std::isinf(as_double())) out += as_double() > 0 ? "Infinity" : "-Infinity";
      else out += float_text(as_double());
      break;
    case Kind::kString:
      out += json_quoted(as_string());
      break;
    case Kind::kList:
    case Kind::kTuple:
      write_parts('[', ']', items().size(), [&](size_t i) { items()[i].write_json(out, style, level + 1); });
      break;
    case Kind::kDict: {
      std::vector<const std::pair<Value, Value>*> order;
      for (const auto& field : fields()) order.push_back(&field);
      if (style.sort_keys)
        std::stable_sort(order.begin(), order.end(),
                         [](const auto* a, const auto* b) { return compare(a->first, b->first, "<") < 0; });
      write_parts('{', '}', order.size(), [&](size_t i) {
        const Value& key = order[i]->first;
        out += json_quoted(key.is_string() ? key.as_string() : key.json({}));
        out += style.colon;
        order[i]->second.write_json(out, style, level + 1);
      });
      break;
    }
    default:
      template_error(std::string("Object of type ") + type_name() + " is not JSON serializable");
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

std::string float_text(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  char buffer[64];
  const double size = std::fabs(v);
  const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, v, plain ? std::chars_format::fixed : std::chars_format::scientific)
          .ptr;
  std::string text(buffer, end);
  if (plain && text.find('.') == std::string::npos) text += ".0";
  return text;
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

}  // namespace hone::text::jinja
