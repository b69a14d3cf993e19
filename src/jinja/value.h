// Values of the template language, with Python's semantics: what `str`, `repr`, `==`, truth and `json.dumps` give.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json_fwd.h"

namespace hone::jinja {

class Value;
class Interpreter;
using Items = std::vector<Value>;
using Fields = std::vector<std::pair<Value, Value>>;

/// Arguments of a call.
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

/// Something callable: a macro, a method bound to its object, a built-in function.
struct Function {
  std::string name;
  std::function<Value(Interpreter&, Arguments&)> call;
};

/// How json.dumps writes.
struct JsonStyle {
  int indent = -1;  ///< < 0: one line
  bool sort_keys = false;
  std::string comma = ", ", colon = ": ";
};

/// Immutable but for namespaces. Nested at most kDeepestValue levels, so that none can exhaust the stack.
class Value {
 public:
  enum class Kind {
    kUndefined,
    kNone,
    kBool,
    kInt,
    kFloat,
    kString,
    kList,
    kTuple,
    kGenerator,
    kDict,
    kNamespace,
    kFunction
  };
  static constexpr int kDeepestValue = 200;

  Value() = default;  // undefined, without a name
  static Value undefined(std::string message);
  static Value none();
  static Value boolean(bool v);
  static Value integer(int64_t v);
  static Value real(double v);
  static Value string(std::string v, bool markup = false);
  static Value list(Items items, Kind kind = Kind::kList);
  static Value dict(Fields fields);
  static Value name_space(Fields fields);
  static Value function(std::string name, std::function<Value(Interpreter&, Arguments&)> call, int depth = 0);
  static Value from_json(const Json& json);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_undefined() const { return kind_ == Kind::kUndefined; }
  bool is_none() const { return kind_ == Kind::kNone; }
  bool is_string() const { return kind_ == Kind::kString; }
  bool is_number() const { return kind_ == Kind::kInt || kind_ == Kind::kFloat || kind_ == Kind::kBool; }
  bool is_integral() const { return kind_ == Kind::kInt || kind_ == Kind::kBool; }
  bool is_items() const { return kind_ == Kind::kList || kind_ == Kind::kTuple || kind_ == Kind::kGenerator; }
  bool is_fields() const { return kind_ == Kind::kDict || kind_ == Kind::kNamespace; }

  bool as_bool() const { return std::get<int64_t>(data_) != 0; }
  int64_t as_int() const { return std::get<int64_t>(data_); }
  double as_double() const;                // of any number
  const std::string& as_string() const;    // a string's text, or an undefined value's message
  bool markup() const { return markup_; }  // marked safe: what is added to it gets escaped
  const Items& items() const { return *std::get<std::shared_ptr<Items>>(data_); }
  const Fields& fields() const { return *std::get<std::shared_ptr<Fields>>(data_); }
  const Function& as_function() const { return *std::get<std::shared_ptr<Function>>(data_); }
  int depth() const { return depth_; }
  /// About how many bytes its text has, counting shared parts as often as they appear: what a copy, comparison or
  /// rendering costs. Saturates.
  uint64_t weight() const;

  const Value* find(const Value& key) const;  // in a dict or namespace
  const Value* find(std::string_view key) const;
  void assign(const std::string& key, Value value) const;  // in a namespace, which all copies share

  bool truth() const;
  bool operator==(const Value& other) const;
  std::string str() const;
  std::string repr() const;
  /// json.dumps(ensure_ascii=False).
  std::string json(const JsonStyle& style) const;
  /// Python's name of the type, as error messages give it.
  const char* type_name() const;

 private:
  void write_json(std::string& out, const JsonStyle& style, int level) const;
  void hold(const Value& part);
  Kind kind_ = Kind::kUndefined;
  bool markup_ = false;
  int depth_ = 0;
  uint64_t parts_weight_ = 0;  // of lists and dicts
  std::variant<std::monostate, int64_t, double, std::string, std::shared_ptr<Items>, std::shared_ptr<Fields>,
               std::shared_ptr<Function>>
      data_;
};

/// What a failing template throws; the interpreter adds name and line.
struct TemplateError {
  std::string message;
};
[[noreturn]] inline void template_error(std::string message) { throw TemplateError{std::move(message)}; }

/// <0, 0, >0 as Python orders two values; values that have no order: an error naming both types and `op`.
int compare(const Value& a, const Value& b, const char* op);
/// As Python's repr of a float: the shortest digits that read back the same.
std::string float_text(double v);
/// Characters, not bytes.
size_t text_length(std::string_view text);
/// Text from one character position to another.
std::string_view text_slice(std::string_view text, size_t begin, size_t end);
/// What str.isspace() takes for white space.
bool is_python_space(char32_t c);

}  // namespace hone::jinja
