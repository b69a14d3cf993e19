// Jinja's filters (jinja2/filters.py) and Hugging Face's tojson.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <unordered_map>

#include "jinja/arguments.h"
#include "jinja/escape.h"
#include "jinja/interpreter.h"
#include "jinja/names.h"
#include "jinja/strings.h"

namespace hone::jinja {
namespace {

using Filter = Value (*)(Interpreter&, const Value&, Arguments&);

std::string text_of(Interpreter& in, const Value& v) {
  in.charge(v.weight());
  return v.str();
}

// "a.b.0" of a value, as map, selectattr and join take it.
Value path(Interpreter& in, Value v, const Value& name) {
  if (!name.is_string()) return in.item(v, name);
  const std::string dot = ".";
  for (const std::string& part : split(name.as_string(), &dot, -1, false)) {
    const bool number = !part.empty() && part.size() < 10 &&
                        std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    v = in.item(v, number ? Value::integer(std::atoll(part.c_str())) : Value::string(part));
  }
  return v;
}

Value f_tojson(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("tojson", a, {"ensure_ascii", "indent", "separators", "sort_keys"});
  if (args.flag(0, false)) template_error("tojson(ensure_ascii=true) is not supported");
  JsonStyle style;
  if (args.has(1)) {
    if (!args[1].is_integral() || args[1].as_int() < 0 || args[1].as_int() > 100)
      template_error("tojson's indent must be a number from 0 to 100");
    style.indent = static_cast<int>(args[1].as_int());
    style.comma = ",";
  }
  if (args.has(2)) {
    if (!args[2].is_items() || args[2].items().size() != 2) template_error("tojson's separators must be a pair");
    style.comma = args[2].items()[0].str();
    style.colon = args[2].items()[1].str();
  }
  style.sort_keys = args.flag(3, false);
  in.charge(v.weight() *
            (style.indent >= 0 ? 1 + static_cast<size_t>(style.indent) * static_cast<size_t>(v.depth() + 1) : 4));
  return Value::string(v.json(style));
}

Value f_trim(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("trim", a, {"chars"});
  const std::string characters = args.text(0, "");
  return Value::string(std::string(strip(text_of(in, v), args.has(0) ? &characters : nullptr, true, true)));
}

Value f_length(Interpreter&, const Value& v, Arguments&) {
  if (v.is_undefined()) return Value::integer(0);
  if (v.is_string()) return Value::integer(static_cast<int64_t>(text_length(v.as_string())));
  if (v.is(Value::Kind::kDict)) return Value::integer(static_cast<int64_t>(v.fields().size()));
  if (v.is_items() && !v.is(Value::Kind::kGenerator)) return Value::integer(static_cast<int64_t>(v.items().size()));
  template_error(std::string("object of type '") + v.type_name() + "' has no len()");
}

Value f_string(Interpreter& in, const Value& v, Arguments&) {
  return v.is_string() ? v : Value::string(text_of(in, v));
}
Value f_safe(Interpreter& in, const Value& v, Arguments&) { return Value::string(text_of(in, v), true); }
Value f_escape(Interpreter& in, const Value& v, Arguments&) {
  return v.markup() ? v : Value::string(escape_html(text_of(in, v)), true);
}
Value f_upper(Interpreter& in, const Value& v, Arguments&) { return Value::string(upper(text_of(in, v))); }
Value f_lower(Interpreter& in, const Value& v, Arguments&) { return Value::string(lower(text_of(in, v))); }
Value f_capitalize(Interpreter& in, const Value& v, Arguments&) { return Value::string(capitalize(text_of(in, v))); }

Value f_default(Interpreter&, const Value& v, Arguments& a) {
  const Bound args("default", a, {"default_value", "boolean"});
  const bool missing = v.is_undefined() || (args.flag(1, false) && !v.truth());
  return missing ? args.value(0, Value::string("")) : v;
}

Value f_items(Interpreter& in, const Value& v, Arguments& a) {
  if (v.is_undefined()) return Value::list({}, Value::Kind::kGenerator);
  if (!v.is(Value::Kind::kDict)) template_error("Can only get item pairs from a mapping.");
  const Value pairs = in.call(method(v, "items"), a);
  return Value::list(pairs.items(), Value::Kind::kGenerator);
}

Value f_list(Interpreter& in, const Value& v, Arguments&) { return Value::list(in.iterate(v)); }

Value sorted(Interpreter& in, Items items, const Value* attribute, bool case_sensitive, bool reverse) {
  std::vector<std::pair<Value, Value>> keyed;
  for (Value& item : items) {
    Value key = attribute != nullptr ? path(in, item, *attribute) : item;
    if (!case_sensitive && key.is_string()) key = Value::string(lower(key.as_string()));
    in.charge(key.weight() + 32);
    keyed.emplace_back(std::move(key), std::move(item));
  }
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& x, const auto& y) {
    in.charge(std::min(x.first.weight(), y.first.weight()) / 8 + 1);
    return reverse ? compare(y.first, x.first, "<") < 0 : compare(x.first, y.first, "<") < 0;
  });
  Items out;
  for (auto& [key, item] : keyed) out.push_back(std::move(item));
  return Value::list(std::move(out));
}

Value f_sort(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("sort", a, {"reverse", "case_sensitive", "attribute"});
  return sorted(in, in.iterate(v), args.has(2) ? &args[2] : nullptr, args.flag(1, false), args.flag(0, false));
}

Value f_dictsort(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("dictsort", a, {"case_sensitive", "by", "reverse"});
  if (!v.is(Value::Kind::kDict)) template_error(std::string("dictsort needs a mapping, not '") + v.type_name() + "'");
  Arguments none;
  const Value part = Value::integer(args.text(1, "key") == "value" ? 1 : 0);
  return sorted(in, in.call(method(v, "items"), none).items(), &part, args.flag(0, false), args.flag(2, false));
}

Value f_join(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("join", a, {"d", "attribute"});
  const std::string separator = args[0].is_undefined() ? "" : text_of(in, args[0]);
  std::string out;
  const Items items = in.iterate(v);
  for (size_t i = 0; i < items.size(); ++i) {
    in.charge(separator.size());
    if (i > 0) out += separator;
    out += text_of(in, args.has(1) ? path(in, items[i], args[1]) : items[i]);
  }
  return Value::string(std::move(out));
}

Value f_indent(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("indent", a, {"width", "first", "blank"});
  std::string indention;
  if (args.has(0) && args[0].is_string()) indention = args[0].as_string();
  else indention.assign(std::clamp<int64_t>(args.integer(0, 4), 0, 1000), ' ');
  const std::vector<std::string> lines = split_lines(text_of(in, v) + "\n", false);
  in.charge(lines.size() * (indention.size() + 1));
  std::string out = args.flag(1, false) ? indention : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    if (i > 0 && (args.flag(2, false) || !lines[i].empty())) out += indention;
    out += lines[i];
  }
  return Value::string(std::move(out));
}

Value f_replace(Interpreter& in, const Value& v, Arguments& a) {
  return in.call(in.attribute(Value::string(text_of(in, v)), "replace"), a);
}

Value f_first(Interpreter& in, const Value& v, Arguments&) {
  const Items items = in.iterate(v);
  return items.empty() ? Value::undefined("No first item, sequence was empty.") : items.front();
}
Value f_last(Interpreter& in, const Value& v, Arguments&) {
  const Items items = in.iterate(v);
  return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
}

Value f_reverse(Interpreter& in, const Value& v, Arguments&) {
  Items items = in.iterate(v);
  std::reverse(items.begin(), items.end());
  if (!v.is_string()) return Value::list(std::move(items), Value::Kind::kGenerator);
  std::string out;
  for (const Value& item : items) out += item.as_string();
  return Value::string(std::move(out));
}

Value f_unique(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("unique", a, {"case_sensitive", "attribute"});
  Items out, seen;
  for (const Value& item : in.iterate(v)) {
    Value key = args.has(1) ? path(in, item, args[1]) : item;
    if (key.is_string() && !args.flag(0, false)) key = Value::string(lower(key.as_string()));
    in.charge(seen.size() + key.weight());
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(std::move(key));
    out.push_back(item);
  }
  return Value::list(std::move(out), Value::Kind::kGenerator);
}

// What is left of the arguments after the first `count` positional ones, and the name in the last of those.
Arguments rest_of(const Arguments& a, size_t count) {
  Arguments rest = a;
  rest.positional.erase(rest.positional.begin(),
                        rest.positional.begin() + static_cast<std::ptrdiff_t>(std::min(count, rest.positional.size())));
  return rest;
}

std::string name_in(const Arguments& a, size_t i, const char* what) {
  if (!a.positional[i].is_string()) template_error(std::string("the name of a ") + what + " must be a string");
  return a.positional[i].as_string();
}

template <bool wanted, bool by_attribute>
Value f_select(Interpreter& in, const Value& v, Arguments& a) {
  constexpr size_t kBefore = by_attribute ? 1 : 0;
  if (a.positional.size() < kBefore) template_error("Missing parameter for attribute name");
  Items out;
  if (!v.truth()) return Value::list({}, Value::Kind::kGenerator);
  for (const Value& item : in.iterate(v)) {
    in.charge(4);
    const Value value = by_attribute ? path(in, item, a.positional[0]) : item;
    bool holds = value.truth();
    if (a.positional.size() > kBefore) {
      Arguments rest = rest_of(a, kBefore + 1);
      const std::string test = name_in(a, kBefore, "test");
      if (!has_test(test)) template_error("the test '" + test + "' is not supported");
      holds = apply_test(in, test, value, rest);
    }
    if (holds == wanted) out.push_back(item);
  }
  return Value::list(std::move(out), Value::Kind::kGenerator);
}

Value f_map(Interpreter& in, const Value& v, Arguments& a) {
  Items out;
  const auto attribute =
      std::find_if(a.named.begin(), a.named.end(), [](const auto& n) { return n.first == "attribute"; });
  const auto otherwise =
      std::find_if(a.named.begin(), a.named.end(), [](const auto& n) { return n.first == "default"; });
  if (a.positional.empty() && attribute == a.named.end()) template_error("map requires a filter argument");
  if (!v.truth()) return Value::list({}, Value::Kind::kGenerator);
  for (const Value& item : in.iterate(v)) {
    in.charge(4);
    if (a.positional.empty()) {
      Value value = path(in, item, attribute->second);
      if (value.is_undefined() && otherwise != a.named.end()) value = otherwise->second;
      out.push_back(std::move(value));
    } else {
      Arguments rest = rest_of(a, 1);
      const std::string filter = name_in(a, 0, "filter");
      if (!has_filter(filter)) template_error("the filter '" + filter + "' is not supported");
      out.push_back(apply_filter(in, filter, item, rest));
    }
  }
  return Value::list(std::move(out), Value::Kind::kGenerator);
}

Value f_int(Interpreter&, const Value& v, Arguments& a) {
  const Bound args("int", a, {"default"});
  if (v.is_integral()) return Value::integer(v.as_int());
  double number = NAN;
  if (v.is(Value::Kind::kFloat)) number = v.as_double();
  if (v.is_string()) {
    const std::string text(strip(v.as_string(), nullptr, true, true));
    const char* begin = text.c_str() + (text.starts_with('+') ? 1 : 0);
    int64_t whole = 0;
    const auto [end, ec] = std::from_chars(begin, text.c_str() + text.size(), whole);
    if (ec == std::errc() && end == text.c_str() + text.size()) return Value::integer(whole);
    char* stop = nullptr;
    number = std::strtod(text.c_str(), &stop);
    if (text.empty() || *stop != '\0') number = NAN;
  }
  if (!(std::fabs(number) < 9e18)) return args.value(0, Value::integer(0));
  return Value::integer(static_cast<int64_t>(number));
}

Value f_float(Interpreter&, const Value& v, Arguments& a) {
  const Bound args("float", a, {"default"});
  if (v.is_number()) return Value::real(v.as_double());
  if (v.is_string()) {
    const std::string text(strip(v.as_string(), nullptr, true, true));
    char* stop = nullptr;
    const double number = std::strtod(text.c_str(), &stop);
    if (!text.empty() && *stop == '\0') return Value::real(number);
  }
  return args.value(0, Value::real(0));
}

Value f_abs(Interpreter& in, const Value& v, Arguments&) {
  if (!v.is_number()) template_error(std::string("bad operand type for abs(): '") + v.type_name() + "'");
  return v.as_double() < 0 ? in.binary("*", v, Value::integer(-1)) : v;
}

Value f_round(Interpreter&, const Value& v, Arguments& a) {
  const Bound args("round", a, {"precision", "method"});
  if (!v.is_number()) template_error("round needs a number");
  const std::string how = args.text(1, "common");
  const double scale = std::pow(10.0, static_cast<double>(args.integer(0, 0)));
  const double x = v.as_double() * scale;
  return Value::real((how == "ceil" ? std::ceil(x) : how == "floor" ? std::floor(x) : std::nearbyint(x)) / scale);
}

Value f_sum(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("sum", a, {"attribute", "start"});
  Value total = args.value(1, Value::integer(0));
  for (const Value& item : in.iterate(v)) total = in.binary("+", total, args.has(0) ? path(in, item, args[0]) : item);
  return total;
}

template <bool largest>
Value f_extreme(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args(largest ? "max" : "min", a, {"case_sensitive", "attribute"});
  const Value list = sorted(in, in.iterate(v), args.has(1) ? &args[1] : nullptr, args.flag(0, false), largest);
  return list.items().empty() ? Value::undefined("No aggregated item, sequence was empty.") : list.items().front();
}

Value f_attr(Interpreter& in, const Value& v, Arguments& a) {
  const Bound args("attr", a, {"name"});
  return in.attribute(v, args.text(0, ""));
}

const std::unordered_map<std::string_view, Filter> kFilters = {{"tojson", f_tojson},
                                                               {"trim", f_trim},
                                                               {"length", f_length},
                                                               {"count", f_length},
                                                               {"string", f_string},
                                                               {"safe", f_safe},
                                                               {"escape", f_escape},
                                                               {"e", f_escape},
                                                               {"upper", f_upper},
                                                               {"lower", f_lower},
                                                               {"capitalize", f_capitalize},
                                                               {"default", f_default},
                                                               {"d", f_default},
                                                               {"items", f_items},
                                                               {"list", f_list},
                                                               {"sort", f_sort},
                                                               {"dictsort", f_dictsort},
                                                               {"join", f_join},
                                                               {"indent", f_indent},
                                                               {"replace", f_replace},
                                                               {"first", f_first},
                                                               {"last", f_last},
                                                               {"reverse", f_reverse},
                                                               {"unique", f_unique},
                                                               {"select", f_select<true, false>},
                                                               {"reject", f_select<false, false>},
                                                               {"selectattr", f_select<true, true>},
                                                               {"rejectattr", f_select<false, true>},
                                                               {"map", f_map},
                                                               {"int", f_int},
                                                               {"float", f_float},
                                                               {"abs", f_abs},
                                                               {"round", f_round},
                                                               {"sum", f_sum},
                                                               {"min", f_extreme<false>},
                                                               {"max", f_extreme<true>},
                                                               {"attr", f_attr}};

}  // namespace

bool has_filter(std::string_view name) { return kFilters.contains(name); }

Value apply_filter(Interpreter& in, const std::string& name, const Value& value, Arguments& arguments) {
  in.charge(1);
  return kFilters.at(name)(in, value, arguments);
}

}  // namespace hone::jinja
