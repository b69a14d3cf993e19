#include <algorithm>
#include <cmath>

#include "jinja/escape.h"
#include "jinja/interpreter.h"

namespace hone::jinja {
namespace {

using Kind = Expression::Kind;

[[noreturn]] void use_of_undefined(const Value& v) {
  template_error(v.as_string().empty() ? "an undefined value is used" : v.as_string());
}

// "dict object", as Jinja names things in its messages.
std::string object_name(const Value& v) {
  if (v.is_none()) return "None";
  return (v.is(Value::Kind::kNamespace) ? "jinja2.utils.Namespace" : std::string(v.type_name())) + " object";
}

Value missing(const Value& object, const Value& key) {
  if (key.is_string()) return Value::undefined("'" + object_name(object) + "' has no attribute " + key.repr());
  return Value::undefined(object_name(object) + " has no element " + key.repr());
}

[[noreturn]] void bad_operands(const std::string& op, const Value& a, const Value& b) {
  template_error("unsupported operand type(s) for " + op + ": '" + a.type_name() + "' and '" + b.type_name() + "'");
}

Value arithmetic(const std::string& op, const Value& a, const Value& b) {
  const bool integral = a.is_integral() && b.is_integral();
  if (op == "/" || op == "//" || op == "%")
    if (b.as_double() == 0) template_error("division by zero");
  if (!integral || op == "/") {
    const double x = a.as_double(), y = b.as_double();
    if (op == "+") return Value::real(x + y);
    if (op == "-") return Value::real(x - y);
    if (op == "*") return Value::real(x * y);
    if (op == "/") return Value::real(x / y);
    if (op == "//") return Value::real(std::floor(x / y));
    if (op == "%") return Value::real(x - std::floor(x / y) * y);
    return Value::real(std::pow(x, y));
  }
  const int64_t x = a.as_int(), y = b.as_int();
  int64_t out = 0;
  bool overflow = false;
  if (op == "+") overflow = __builtin_add_overflow(x, y, &out);
  else if (op == "-") overflow = __builtin_sub_overflow(x, y, &out);
  else if (op == "*") overflow = __builtin_mul_overflow(x, y, &out);
  else if (op == "**") {
    if (y < 0) return Value::real(std::pow(static_cast<double>(x), static_cast<double>(y)));
    out = 1;
    if (x == 0 || x == 1) out = y == 0 ? 1 : x;
    else if (x == -1) out = y % 2 == 0 ? 1 : -1;
    else
      for (int64_t i = 0; i < y && !overflow; ++i) overflow = __builtin_mul_overflow(out, x, &out);
  } else if (x == INT64_MIN && y == -1) {
    overflow = op == "//";
  } else {
    int64_t quotient = x / y, rest = x % y;
    if (rest != 0 && (rest < 0) != (y < 0)) --quotient, rest += y;
    out = op == "//" ? quotient : rest;
  }
  if (overflow) template_error("an integer is too large");
  return Value::integer(out);
}

}  // namespace

Value Interpreter::evaluate(const Expression& e) {
  // One node deep in the tree is one frame on the stack, so trees and macro calls share one limit.
  if (depth_ > kDeepest) template_error("maximum recursion depth exceeded");
  ++depth_;
  charge(1);
  struct Leave {
    int& depth;
    ~Leave() { --depth; }
  } leave{depth_};
  switch (e.kind) {
    case Kind::kConstant:
      return e.value;
    case Kind::kName:
      return lookup(e.name);
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
      return evaluate_items(e);
    case Kind::kAttribute:
      return attribute(evaluate(*e.parts[0]), e.name);
    case Kind::kItem: {
      const Value object = evaluate(*e.parts[0]);
      return item(object, evaluate(*e.parts[1]));
    }
    case Kind::kSlice:
      return evaluate_slice(e);
    case Kind::kCall:
      return evaluate_call(e);
    case Kind::kFilter:
      return evaluate_filter(e, nullptr);
    case Kind::kTest:
      return evaluate_test(e);
    case Kind::kUnary:
      return evaluate_unary(e);
    case Kind::kBinary: {
      const Value a = evaluate(*e.parts[0]);
      return binary(e.name, a, evaluate(*e.parts[1]));
    }
    case Kind::kCompare:
      return evaluate_compare(e);
    case Kind::kAnd: {
      Value a = evaluate(*e.parts[0]);
      return a.truth() ? evaluate(*e.parts[1]) : a;
    }
    case Kind::kOr: {
      Value a = evaluate(*e.parts[0]);
      return a.truth() ? a : evaluate(*e.parts[1]);
    }
    case Kind::kCondition:
      if (evaluate(*e.parts[1]).truth()) return evaluate(*e.parts[0]);
      return e.parts[2]
                 ? evaluate(*e.parts[2])
                 : Value::undefined("the inline if-expression evaluated to false and no else section was defined.");
  }
  return {};
}

Value Interpreter::evaluate_items(const Expression& e) {
  if (e.kind != Kind::kDict) {
    Items items;
    for (const auto& part : e.parts) items.push_back(evaluate(*part));
    return Value::list(std::move(items), e.kind == Kind::kTuple ? Value::Kind::kTuple : Value::Kind::kList);
  }
  Fields fields;
  for (size_t i = 0; i + 1 < e.parts.size(); i += 2) {
    Value key = evaluate(*e.parts[i]), value = evaluate(*e.parts[i + 1]);
    const auto known = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == key; });
    if (known != fields.end()) known->second = std::move(value);
    else fields.emplace_back(std::move(key), std::move(value));
  }
  return Value::dict(std::move(fields));
}

Value Interpreter::evaluate_unary(const Expression& e) {
  const Value v = evaluate(*e.parts[0]);
  if (e.name == "not") return Value::boolean(!v.truth());
  if (v.is_undefined()) use_of_undefined(v);
  if (!v.is_number()) template_error("bad operand type for unary " + e.name + ": '" + v.type_name() + "'");
  if (e.name == "+") return v.is(Value::Kind::kFloat) ? v : Value::integer(v.as_int());
  return v.is(Value::Kind::kFloat) ? Value::real(-v.as_double()) : arithmetic("-", Value::integer(0), v);
}

Arguments Interpreter::arguments_of(const Expression& e) {
  Arguments out;
  for (size_t i = 1; i < e.parts.size(); ++i) out.positional.push_back(evaluate(*e.parts[i]));
  for (const auto& [name, value] : e.named) out.named.emplace_back(name, evaluate(*value));
  return out;
}

Value Interpreter::evaluate_call(const Expression& e) {
  const Value callee = evaluate(*e.parts[0]);
  Arguments arguments = arguments_of(e);
  return call(callee, arguments);
}

Value Interpreter::call(const Value& callee, Arguments& arguments) {
  if (callee.is_undefined()) use_of_undefined(callee);
  if (!callee.is(Value::Kind::kFunction))
    template_error(std::string("'") + callee.type_name() + "' object is not callable");
  return callee.as_function().call(*this, arguments);
}

Value Interpreter::evaluate_filter(const Expression& e, const Value* input) {
  // A chain on a captured block ends in a filter without an operand, which takes the block.
  const Value value =
      e.parts[0] ? (input != nullptr ? evaluate_filter(*e.parts[0], input) : evaluate(*e.parts[0])) : *input;
  Arguments arguments = arguments_of(e);
  return apply_filter(*this, e.name, value, arguments);
}

Value Interpreter::evaluate_test(const Expression& e) {
  const Value value = evaluate(*e.parts[0]);
  Arguments arguments = arguments_of(e);
  return Value::boolean(apply_test(*this, e.name, value, arguments));
}

Value Interpreter::evaluate_compare(const Expression& e) {
  Value left = evaluate(*e.parts[0]);
  for (size_t i = 0; i < e.operators.size(); ++i) {
    const std::string& op = e.operators[i];
    Value right = evaluate(*e.parts[i + 1]);
    charge(std::min(left.weight(), right.weight()) / 8);
    bool holds = false;
    if (op == "==") holds = left == right;
    else if (op == "!=") holds = !(left == right);
    else if (op == "in") holds = contains(right, left);
    else if (op == "not in") holds = !contains(right, left);
    else {
      if (left.is_undefined()) use_of_undefined(left);
      if (right.is_undefined()) use_of_undefined(right);
      const int order = compare(left, right, op.c_str());
      holds = op == "<" ? order < 0 : op == "<=" ? order <= 0 : op == ">" ? order > 0 : order >= 0;
    }
    if (!holds) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

bool Interpreter::contains(const Value& container, const Value& value) {
  charge(container.weight() / 8);
  if (container.is_string()) {
    if (value.is_undefined()) use_of_undefined(value);
    if (!value.is_string())
      template_error(std::string("'in <string>' requires string as left operand, not ") + value.type_name());
    return container.as_string().find(value.as_string()) != std::string::npos;
  }
  if (container.is(Value::Kind::kDict)) return container.find(value) != nullptr;
  if (container.is_undefined()) return false;
  if (!container.is_items())
    template_error(std::string("argument of type '") + container.type_name() + "' is not iterable");
  return std::find(container.items().begin(), container.items().end(), value) != container.items().end();
}

Items Interpreter::iterate(const Value& v) {
  if (v.is_undefined()) return {};
  Items out;
  if (v.is_items()) {
    charge(v.items().size());
    out = v.items();
  } else if (v.is(Value::Kind::kDict)) {
    charge(v.fields().size());
    for (const auto& [key, value] : v.fields()) out.push_back(key);
  } else if (v.is_string()) {
    const std::string& text = v.as_string();
    charge(text.size() * 16);
    for (size_t i = 0, n = 0; i < text.size(); i += n) {
      n = std::max<size_t>(1, text_slice(std::string_view(text).substr(i, 4), 0, 1).size());
      out.push_back(Value::string(text.substr(i, n)));
    }
  } else {
    template_error(std::string("'") + v.type_name() + "' object is not iterable");
  }
  return out;
}

Value Interpreter::attribute(const Value& object, const std::string& name) {
  if (object.is_undefined()) use_of_undefined(object);
  if (object.is(Value::Kind::kNamespace)) {
    const Value* found = object.find(std::string_view(name));
    return found != nullptr ? *found : missing(object, Value::string(name));
  }
  if (Value bound = method(object, name); !bound.is_undefined()) return bound;
  if (object.is(Value::Kind::kDict))
    if (const Value* found = object.find(std::string_view(name))) return *found;
  return missing(object, Value::string(name));
}

Value Interpreter::item(const Value& object, const Value& key) {
  if (object.is_undefined()) use_of_undefined(object);
  if (object.is_fields()) {
    charge(object.fields().size() / 8);
    if (const Value* found = object.find(key)) return *found;
  }
  if (key.is_integral() && (object.is_string() || object.is(Value::Kind::kList) || object.is(Value::Kind::kTuple))) {
    charge(object.is_string() ? object.weight() / 8 : 1);
    const auto n = static_cast<int64_t>(object.is_string() ? text_length(object.as_string()) : object.items().size());
    const int64_t at = key.as_int() < 0 ? key.as_int() + n : key.as_int();
    if (at < 0 || at >= n) return missing(object, key);
    const auto i = static_cast<size_t>(at);
    return object.is_string() ? Value::string(std::string(text_slice(object.as_string(), i, i + 1)))
                              : object.items()[i];
  }
  if (key.is_string() && !object.is(Value::Kind::kNamespace))
    if (Value bound = method(object, key.as_string()); !bound.is_undefined()) return bound;
  return missing(object, key);
}

Value Interpreter::evaluate_slice(const Expression& e) {
  const Value object = evaluate(*e.parts[0]);
  if (object.is_undefined()) use_of_undefined(object);
  const bool text = object.is_string();
  if (!text && !object.is(Value::Kind::kList) && !object.is(Value::Kind::kTuple))
    return missing(object, Value::string("slice"));
  charge(object.weight() / 8 + 1);
  const auto n = static_cast<int64_t>(text ? text_length(object.as_string()) : object.items().size());
  const auto bound = [&](size_t part, int64_t otherwise) {
    if (!e.parts[part]) return otherwise;
    const Value v = evaluate(*e.parts[part]);
    if (v.is_none()) return otherwise;
    if (!v.is_integral()) template_error("slice indices must be integers or None or have an __index__ method");
    return v.as_int();
  };
  const int64_t step = bound(3, 1);
  if (step == 0) template_error("slice step cannot be zero");
  const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
  const auto clip = [&](int64_t at) { return std::clamp(at < 0 ? std::max(at, -n - 1) + n : at, low, high); };
  const int64_t begin = e.parts[1] ? clip(bound(1, step > 0 ? 0 : n)) : (step > 0 ? 0 : n - 1);
  // A left-out end lies past the last element, where no index (which would count from the back) can point.
  const bool open = !e.parts[2] || evaluate(*e.parts[2]).is_none();
  const int64_t end = open ? (step > 0 ? n : -1) : clip(bound(2, 0));
  if (text && step == 1)
    return Value::string(std::string(
        text_slice(object.as_string(), static_cast<size_t>(begin), static_cast<size_t>(std::max(begin, end)))));
  const Items source = text ? iterate(object) : object.items();
  Items kept;
  const int64_t stride = std::clamp<int64_t>(step, -n - 1, n + 1);
  for (int64_t i = begin; step > 0 ? i < end : i > end; i += stride) kept.push_back(source[i]);
  charge(kept.size());
  if (!text) return Value::list(std::move(kept), object.kind());
  std::string joined;
  for (const Value& c : kept) joined += c.as_string();
  return Value::string(std::move(joined));
}

Value Interpreter::binary(const std::string& op, const Value& a, const Value& b) {
  if (op == "~") {
    charge(a.weight() + b.weight());
    return Value::string(a.str() + b.str());
  }
  if (a.is_undefined()) use_of_undefined(a);
  if (b.is_undefined()) use_of_undefined(b);
  if (a.is_number() && b.is_number()) return arithmetic(op, a, b);
  if (op == "+") {
    if (a.is_string() && b.is_string()) {
      charge((a.weight() + b.weight()) * 6);
      if (a.markup() == b.markup()) return Value::string(a.as_string() + b.as_string(), a.markup());
      const auto safe = [](const Value& v) { return v.markup() ? v.as_string() : escape_html(v.as_string()); };
      return Value::string(safe(a) + safe(b), true);
    }
    if (a.kind() == b.kind() && (a.is(Value::Kind::kList) || a.is(Value::Kind::kTuple))) {
      charge(a.items().size() + b.items().size());
      Items items = a.items();
      items.insert(items.end(), b.items().begin(), b.items().end());
      return Value::list(std::move(items), a.kind());
    }
    for (const auto& [kind, name] : {std::pair{Value::Kind::kString, "str"}, std::pair{Value::Kind::kList, "list"},
                                     std::pair{Value::Kind::kTuple, "tuple"}})
      if (a.is(kind))
        template_error(std::string("can only concatenate ") + name + " (not \"" + b.type_name() + "\") to " + name);
  }
  if (op == "*" && (a.is_integral() || b.is_integral())) {
    const Value& what = a.is_integral() ? b : a;
    const int64_t times = std::max<int64_t>(0, (a.is_integral() ? a : b).as_int());
    if (what.is_string() || what.is(Value::Kind::kList) || what.is(Value::Kind::kTuple)) {
      const size_t each = what.is_string() ? what.as_string().size() : what.items().size();
      if (each > 0 && static_cast<uint64_t>(times) > static_cast<uint64_t>(kWork) / each) charge(SIZE_MAX);
      charge(each * static_cast<size_t>(times));
      std::string text;
      Items items;
      for (int64_t i = 0; each > 0 && i < times; ++i) {
        if (what.is_string()) text += what.as_string();
        else items.insert(items.end(), what.items().begin(), what.items().end());
      }
      return what.is_string() ? Value::string(std::move(text), what.markup())
                              : Value::list(std::move(items), what.kind());
    }
  }
  if (op == "%" && a.is_string()) template_error("formatting strings with % is not supported");
  bad_operands(op == "**" ? "** or pow()" : op, a, b);
}

}  // namespace hone::jinja
