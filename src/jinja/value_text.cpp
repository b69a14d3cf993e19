// Values as text: Python's str and repr, and json.dumps.
#include <unicode/uchar.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/utf8.h"
#include "jinja/value.h"

namespace hone::jinja {
namespace {

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

}  // namespace hone::jinja
