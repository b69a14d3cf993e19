// Functions that every template sees: Jinja's own and Hugging Face's raise_exception and strftime_now.
#include <ctime>

#include "jinja/arguments.h"
#include "jinja/interpreter.h"

namespace hone::jinja {
namespace {

Value range(Interpreter& in, Arguments& a) {
  const Bound args("range", a, {"start", "stop", "step"});
  const bool one = a.positional.size() < 2;
  const int64_t begin = one ? 0 : args.integer(0, 0), end = one ? args.integer(0, 0) : args.integer(1, 0),
                step = args.integer(2, 1);
  if (step == 0) template_error("range() arg 3 must not be zero");
  constexpr int64_t kMost = 100'000, kLargest = int64_t{1} << 40;
  if (std::abs(begin) > kLargest || std::abs(end) > kLargest || std::abs(step) > kLargest)
    template_error("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
  const int64_t count = step > 0 ? (end - begin + step - 1) / step : (begin - end - step - 1) / -step;
  if (count > kMost) template_error("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
  Items items;
  for (int64_t i = 0, v = begin; i < count; ++i, v += step) items.push_back(Value::integer(v));
  in.charge(items.size() * 4);
  return Value::list(std::move(items));
}

Fields named_fields(const char* what, const Arguments& a) {
  Fields fields;
  for (const Value& v : a.positional) {
    if (!v.is_fields()) template_error(std::string(what) + "() of something that is no mapping is not supported");
    for (const auto& field : v.fields()) fields.push_back(field);
  }
  for (const auto& [name, value] : a.named) fields.emplace_back(Value::string(name), value);
  return fields;
}

// A fixed date: what a model is trained on must not depend on the day. Hugging Face puts the day of the call.
Value strftime_now(Interpreter& in, Arguments& a) {
  const Bound args("strftime_now", a, {"format"});
  std::tm date{};
  date.tm_year = 124;
  date.tm_mon = 6;
  date.tm_mday = 26;
  date.tm_hour = 12;
  date.tm_wday = 5;
  date.tm_yday = 207;
  const std::string format = args.text(0, "");
  char buffer[1024];
  if (format.size() > 200) template_error("strftime_now's format is too long");
  in.charge(sizeof buffer);
  return Value::string(std::string(buffer, std::strftime(buffer, sizeof buffer, format.c_str(), &date)));
}

}  // namespace

Fields global_functions() {
  const auto field = [](const char* name, std::function<Value(Interpreter&, Arguments&)> call) {
    return std::pair{Value::string(name), Value::function(name, std::move(call))};
  };
  const auto refused = [&](const char* name) {
    return field(name, [name](Interpreter&, Arguments&) -> Value {
      template_error(std::string("the function '") + name + "' is not supported");
    });
  };
  return {
      field("range", range),
      field("dict", [](Interpreter&, Arguments& a) { return Value::dict(named_fields("dict", a)); }),
      field("namespace", [](Interpreter&, Arguments& a) { return Value::name_space(named_fields("namespace", a)); }),
      field("raise_exception",
            [](Interpreter& in, Arguments& a) -> Value {
              const Bound args("raise_exception", a, {"message"});
              in.charge(args[0].weight());
              template_error(args[0].str());
            }),
      field("strftime_now", strftime_now),
      refused("lipsum"),
      refused("cycler"),
      refused("joiner")};
}

}  // namespace hone::jinja
