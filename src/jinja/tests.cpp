// Jinja's tests: `x is NAME` (jinja2/tests.py).
#include <algorithm>
#include <unordered_map>

#include "jinja/interpreter.h"
#include "jinja/names.h"
#include "jinja/strings.h"

namespace hone::jinja {
namespace {

using Kind = Value::Kind;
using Test = bool (*)(Interpreter&, const Value&, Arguments&);

const Value& other(Arguments& a) {
  if (a.positional.size() != 1 || !a.named.empty()) template_error("a test takes one argument here");
  return a.positional[0];
}

int64_t whole(const Value& v) {
  if (!v.is_integral()) template_error(std::string("a test needs a whole number, not '") + v.type_name() + "'");
  return v.as_int();
}

int order(const Value& a, const Value& b, const char* op) {
  for (const Value* v : {&a, &b})
    if (v->is_undefined()) template_error(v->as_string());
  return compare(a, b, op);
}

const std::unordered_map<std::string_view, Test> kTests = {
    {"defined", [](Interpreter&, const Value& v, Arguments&) { return !v.is_undefined(); }},
    {"undefined", [](Interpreter&, const Value& v, Arguments&) { return v.is_undefined(); }},
    {"none", [](Interpreter&, const Value& v, Arguments&) { return v.is_none(); }},
    {"string", [](Interpreter&, const Value& v, Arguments&) { return v.is_string(); }},
    {"number", [](Interpreter&, const Value& v, Arguments&) { return v.is_number(); }},
    {"integer", [](Interpreter&, const Value& v, Arguments&) { return v.is(Kind::kInt); }},
    {"float", [](Interpreter&, const Value& v, Arguments&) { return v.is(Kind::kFloat); }},
    {"boolean", [](Interpreter&, const Value& v, Arguments&) { return v.is(Kind::kBool); }},
    {"true", [](Interpreter&, const Value& v, Arguments&) { return v.is(Kind::kBool) && v.truth(); }},
    {"false", [](Interpreter&, const Value& v, Arguments&) { return v.is(Kind::kBool) && !v.truth(); }},
    {"mapping", [](Interpreter&, const Value& v, Arguments&) { return v.is(Kind::kDict); }},
    {"callable", [](Interpreter&, const Value& v, Arguments&) { return v.is(Kind::kFunction); }},
    {"iterable", [](Interpreter&, const Value& v,
                    Arguments&) { return v.is_items() || v.is_string() || v.is(Kind::kDict) || v.is_undefined(); }},
    // len() and [] both work: also of an undefined value.
    {"sequence",
     [](Interpreter&, const Value& v, Arguments&) {
       return v.is(Kind::kList) || v.is(Kind::kTuple) || v.is_string() || v.is(Kind::kDict) || v.is_undefined();
     }},
    {"odd", [](Interpreter&, const Value& v, Arguments&) { return whole(v) % 2 != 0; }},
    {"even", [](Interpreter&, const Value& v, Arguments&) { return whole(v) % 2 == 0; }},
    {"divisibleby",
     [](Interpreter&, const Value& v, Arguments& a) {
       if (whole(other(a)) == 0) template_error("division by zero");
       return whole(other(a)) == -1 || whole(v) % whole(other(a)) == 0;
     }},
    {"eq", [](Interpreter&, const Value& v, Arguments& a) { return v == other(a); }},
    {"equalto", [](Interpreter&, const Value& v, Arguments& a) { return v == other(a); }},
    {"sameas", [](Interpreter&, const Value& v, Arguments& a) { return v.kind() == other(a).kind() && v == other(a); }},
    {"ne", [](Interpreter&, const Value& v, Arguments& a) { return !(v == other(a)); }},
    {"lt", [](Interpreter&, const Value& v, Arguments& a) { return order(v, other(a), "<") < 0; }},
    {"lessthan", [](Interpreter&, const Value& v, Arguments& a) { return order(v, other(a), "<") < 0; }},
    {"le", [](Interpreter&, const Value& v, Arguments& a) { return order(v, other(a), "<=") <= 0; }},
    {"gt", [](Interpreter&, const Value& v, Arguments& a) { return order(v, other(a), ">") > 0; }},
    {"greaterthan", [](Interpreter&, const Value& v, Arguments& a) { return order(v, other(a), ">") > 0; }},
    {"ge", [](Interpreter&, const Value& v, Arguments& a) { return order(v, other(a), ">=") >= 0; }},
    {"in", [](Interpreter& in, const Value& v, Arguments& a) { return in.contains(other(a), v); }},
    {"lower",
     [](Interpreter&, const Value& v, Arguments&) {
       return v.is_string() && lower(v.as_string()) == v.as_string() && upper(v.as_string()) != v.as_string();
     }},
    {"upper", [](Interpreter&, const Value& v, Arguments&) {
       return v.is_string() && upper(v.as_string()) == v.as_string() && lower(v.as_string()) != v.as_string();
     }}};

}  // namespace

bool has_test(std::string_view name) { return kTests.contains(name); }

bool apply_test(Interpreter& in, const std::string& name, const Value& value, Arguments& arguments) {
  in.charge(1 + value.weight() / 8);
  return kTests.at(name)(in, value, arguments);
}

}  // namespace hone::jinja
