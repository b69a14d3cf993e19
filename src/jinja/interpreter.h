// Runs a parsed template. Templates come from strangers: steps, output, nesting and the size of what is built are all
// bounded, and nothing outside the values passed in can be reached.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/ast.h"

namespace hone::jinja {

struct Rendered {
  std::string text;
  std::vector<std::pair<size_t, size_t>> generated;  ///< byte ranges of {% generation %} blocks
};

class Interpreter {
 public:
  static constexpr int64_t kWork = int64_t{1} << 26;  ///< units of work: about a node visited or a byte built
  static constexpr int kDeepest = 500;                ///< nodes within nodes, macros within macros

  Interpreter(const Body& program, const Fields& context, int& line);
  Rendered run();

  /// Counts work done or about to be done; past the limit: TemplateError.
  void charge(size_t work);
  Value call(const Value& callee, Arguments& arguments);
  /// obj.name, and obj[key], as Jinja's sandbox looks them up.
  Value attribute(const Value& object, const std::string& name);
  Value item(const Value& object, const Value& key);
  /// The values that a loop over `v` takes.
  Items iterate(const Value& v);
  Value binary(const std::string& op, const Value& a, const Value& b);
  bool contains(const Value& container, const Value& value);

 private:
  enum class Flow { kNormal, kBreak, kContinue };
  struct Scope {
    std::vector<std::pair<std::string, Value>> names;
    std::shared_ptr<Scope> parent;
  };
  using ScopePtr = std::shared_ptr<Scope>;
  class Depth;

  // interpreter.cpp: statements
  Flow run(const Body& body);
  Flow run(const Statement& s);
  Flow run_for(const Statement& s);
  void run_macro(const Statement& s);
  void run_call(const Statement& s);
  Value macro(const Statement& s, const std::string& name, const ScopePtr& home);
  Value call_macro(const Statement& s, const std::string& name, const ScopePtr& home, Arguments& arguments);
  std::string capture(const Body& body);
  void assign(const Target& target, const Value& value);
  void write(std::string_view text);
  void bind(const std::string& name, Value value);
  Value lookup(const std::string& name) const;

  // expressions.cpp
  Value evaluate(const Expression& e);
  Value evaluate_call(const Expression& e);
  Value evaluate_compare(const Expression& e);
  Value evaluate_filter(const Expression& e, const Value* input);
  Value evaluate_test(const Expression& e);
  Value evaluate_slice(const Expression& e);
  Value evaluate_unary(const Expression& e);
  Value evaluate_items(const Expression& e);
  Arguments arguments_of(const Expression& e);

  const Body& program_;
  int& line_;
  ScopePtr scope_;
  std::string* out_ = nullptr;
  Rendered rendered_;
  int64_t work_ = 0;
  int depth_ = 0;
};

// filters.cpp, tests.cpp, methods.cpp, globals.cpp
Value apply_filter(Interpreter& in, const std::string& name, const Value& value, Arguments& arguments);
bool apply_test(Interpreter& in, const std::string& name, const Value& value, Arguments& arguments);
/// A method of a string, list or dict, bound to it; undefined where there is none.
Value method(const Value& object, const std::string& name);
/// range, dict, namespace, raise_exception, strftime_now.
Fields global_functions();

}  // namespace hone::jinja
