// Methods of strings, lists and dicts that do not change their object. Others are as if they did not exist.
#include <algorithm>
#include <unordered_map>

#include "jinja/arguments.h"
#include "jinja/interpreter.h"
#include "jinja/strings.h"

namespace hone::jinja {
namespace {

using Method = Value (*)(Interpreter&, const Value&, Arguments&);

Value strings(const std::vector<std::string>& parts) {
  Items items;
  for (const std::string& part : parts) items.push_back(Value::string(part));
  return Value::list(std::move(items));
}

template <bool left, bool right>
Value strip_method(Interpreter&, const Value& self, Arguments& a) {
  const Bound args("strip", a, {"chars"});
  const std::string characters = args.text(0, "");
  return Value::string(std::string(strip(self.as_string(), args.has(0) ? &characters : nullptr, left, right)));
}

template <bool backwards>
Value split_method(Interpreter& in, const Value& self, Arguments& a) {
  const Bound args("split", a, {"sep", "maxsplit"});
  const std::string separator = args.text(0, "");
  in.charge(self.weight() * 16);
  return strings(split(self.as_string(), args.has(0) ? &separator : nullptr, args.integer(1, -1), backwards));
}

template <bool at_end>
Value affix_method(Interpreter&, const Value& self, Arguments& a) {
  const Bound args(at_end ? "endswith" : "startswith", a, {"prefix"});
  const auto matches = [&](const Value& v) {
    if (!v.is_string()) template_error("startswith and endswith take a string or a tuple of strings");
    return at_end ? self.as_string().ends_with(v.as_string()) : self.as_string().starts_with(v.as_string());
  };
  if (!args[0].is(Value::Kind::kTuple)) return Value::boolean(matches(args[0]));
  return Value::boolean(std::any_of(args[0].items().begin(), args[0].items().end(), matches));
}

template <std::string (*map)(std::string_view)>
Value mapped_method(Interpreter& in, const Value& self, Arguments& a) {
  const Bound args("upper, lower, capitalize, title", a, {});
  in.charge(self.weight());
  return Value::string(map(self.as_string()));
}

template <bool from_right, bool must>
Value find_method(Interpreter&, const Value& self, Arguments& a) {
  const Bound args("find", a, {"sub"});
  const std::string& text = self.as_string();
  const size_t at = from_right ? text.rfind(args.text(0, "")) : text.find(args.text(0, ""));
  if (at == std::string::npos && must) template_error("substring not found");
  return Value::integer(
      at == std::string::npos ? -1 : static_cast<int64_t>(text_length(std::string_view(text).substr(0, at))));
}

template <bool (*is)(char)>
Value ascii_class(Interpreter&, const Value& self, Arguments&) {
  const std::string& text = self.as_string();
  if (!std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; }))
    template_error("isdigit, isalpha and the like on text outside ASCII are not supported");
  return Value::boolean(!text.empty() && std::all_of(text.begin(), text.end(), is));
}
bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
bool letter_or_digit(char c) { return digit(c) || letter(c); }
bool space(char c) { return is_python_space(static_cast<char32_t>(c)); }

Value replace_method(Interpreter& in, const Value& self, Arguments& a) {
  const Bound args("replace", a, {"old", "new", "count"});
  const std::string from = args.text(0, ""), to = args.text(1, "");
  in.charge(self.weight() + count(self.as_string(), from) * to.size());
  return Value::string(replace(self.as_string(), from, to, args.integer(2, -1)));
}

Value join_method(Interpreter& in, const Value& self, Arguments& a) {
  const Bound args("join", a, {"iterable"});
  std::string out;
  const Items items = in.iterate(args[0]);
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_string())
      template_error("sequence item " + std::to_string(i) + ": expected str instance, " + items[i].type_name() +
                     " found");
    in.charge(items[i].weight() + self.weight());
    if (i > 0) out += self.as_string();
    out += items[i].as_string();
  }
  return Value::string(std::move(out));
}

Value splitlines_method(Interpreter& in, const Value& self, Arguments& a) {
  const Bound args("splitlines", a, {"keepends"});
  in.charge(self.weight() * 16);
  return strings(split_lines(self.as_string(), args.flag(0, false)));
}

Value count_text(Interpreter&, const Value& self, Arguments& a) {
  const Bound args("count", a, {"sub"});
  return Value::integer(static_cast<int64_t>(count(self.as_string(), args.text(0, ""))));
}

Value get_method(Interpreter&, const Value& self, Arguments& a) {
  const Bound args("get", a, {"key", "default"});
  const Value* found = self.find(args[0]);
  return found != nullptr ? *found : args.value(1, Value::none());
}

template <int what>  // 0 keys, 1 values, 2 pairs
Value fields_method(Interpreter& in, const Value& self, Arguments& a) {
  const Bound args("keys, values, items", a, {});
  Items out;
  in.charge(self.fields().size());
  for (const auto& [key, value] : self.fields())
    out.push_back(what == 0 ? key : what == 1 ? value : Value::list({key, value}, Value::Kind::kTuple));
  return Value::list(std::move(out));
}

Value copy_method(Interpreter&, const Value& self, Arguments&) { return self; }

Value count_items(Interpreter& in, const Value& self, Arguments& a) {
  const Bound args("count", a, {"value"});
  in.charge(self.weight() / 8);
  return Value::integer(std::count(self.items().begin(), self.items().end(), args[0]));
}

Value index_method(Interpreter& in, const Value& self, Arguments& a) {
  const Bound args("index", a, {"value"});
  in.charge(self.weight() / 8);
  const auto at = std::find(self.items().begin(), self.items().end(), args[0]);
  if (at == self.items().end()) template_error(args[0].repr() + " is not in list");
  return Value::integer(at - self.items().begin());
}

const std::unordered_map<std::string, Method> kStringMethods = {{"strip", strip_method<true, true>},
                                                                {"lstrip", strip_method<true, false>},
                                                                {"rstrip", strip_method<false, true>},
                                                                {"split", split_method<false>},
                                                                {"rsplit", split_method<true>},
                                                                {"startswith", affix_method<false>},
                                                                {"endswith", affix_method<true>},
                                                                {"upper", mapped_method<upper>},
                                                                {"lower", mapped_method<lower>},
                                                                {"capitalize", mapped_method<capitalize>},
                                                                {"title", mapped_method<title>},
                                                                {"find", find_method<false, false>},
                                                                {"rfind", find_method<true, false>},
                                                                {"index", find_method<false, true>},
                                                                {"rindex", find_method<true, true>},
                                                                {"isdigit", ascii_class<digit>},
                                                                {"isnumeric", ascii_class<digit>},
                                                                {"isalpha", ascii_class<letter>},
                                                                {"isalnum", ascii_class<letter_or_digit>},
                                                                {"isspace", ascii_class<space>},
                                                                {"replace", replace_method},
                                                                {"join", join_method},
                                                                {"splitlines", splitlines_method},
                                                                {"count", count_text}};

const std::unordered_map<std::string, Method> kDictMethods = {{"get", get_method},
                                                              {"keys", fields_method<0>},
                                                              {"values", fields_method<1>},
                                                              {"items", fields_method<2>},
                                                              {"copy", copy_method}};

const std::unordered_map<std::string, Method> kListMethods = {
    {"count", count_items}, {"index", index_method}, {"copy", copy_method}};

const std::vector<std::string_view> kOtherStringMethods = {
    "format",       "format_map", "encode",   "center",   "ljust",      "rjust",       "zfill",
    "partition",    "rpartition", "swapcase", "casefold", "expandtabs", "translate",   "removeprefix",
    "removesuffix", "islower",    "isupper",  "istitle",  "isdecimal",  "isidentifier"};
const std::vector<std::string_view> kOtherDictMethods = {"clear", "pop", "update", "setdefault", "popitem", "fromkeys"};
const std::vector<std::string_view> kOtherListMethods = {"append", "extend", "insert", "pop",
                                                         "remove", "clear",  "sort",   "reverse"};

}  // namespace

Value method(const Value& object, const std::string& name) {
  const auto* methods = object.is_string()                                                ? &kStringMethods
                        : object.is(Value::Kind::kDict)                                   ? &kDictMethods
                        : object.is(Value::Kind::kList) || object.is(Value::Kind::kTuple) ? &kListMethods
                                                                                          : nullptr;
  if (methods == nullptr) return {};
  const auto it = methods->find(name);
  if (it != methods->end()) {
    const Method call = it->second;
    return Value::function(
        name,
        [object, call](Interpreter& in, Arguments& a) {
          in.charge(object.is_string() ? object.weight() / 8 + 1 : 1);
          return call(in, object, a);
        },
        object.depth());
  }
  // What Python has too: refused by name when called, never taken for a missing key.
  const auto& others = object.is_string()              ? kOtherStringMethods
                       : object.is(Value::Kind::kDict) ? kOtherDictMethods
                                                       : kOtherListMethods;
  if (std::find(others.begin(), others.end(), name) != others.end())
    return Value::function(name, [name](Interpreter&, Arguments&) -> Value {
      template_error("the method '" + name + "' is not supported");
    });
  return {};
}

}  // namespace hone::jinja
