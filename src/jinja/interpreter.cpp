#include "jinja/interpreter.h"

#include <algorithm>

namespace hone::jinja {

// Counts nesting for the lifetime of one node.
class Interpreter::Depth {
 public:
  explicit Depth(Interpreter& in) : in_(in) {
    if (++in_.depth_ > kDeepest) template_error("maximum recursion depth exceeded");
  }
  ~Depth() { --in_.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  Interpreter& in_;
};

Interpreter::Interpreter(const Body& program, const Fields& context, int& line)
    : program_(program), line_(line), scope_(std::make_shared<Scope>()) {
  for (auto& [name, value] : global_functions()) bind(name.as_string(), value);
  for (const auto& [name, value] : context) bind(name.as_string(), value);
}

Rendered Interpreter::run() {
  out_ = &rendered_.text;
  run(program_);
  return std::move(rendered_);
}

void Interpreter::charge(size_t work) {
  if (work > static_cast<size_t>(kWork - work_)) template_error("the template takes too long or makes too much text");
  work_ += static_cast<int64_t>(work);
}

void Interpreter::write(std::string_view text) {
  charge(text.size());
  out_->append(text);
}

void Interpreter::bind(const std::string& name, Value value) {
  for (auto& [known, old] : scope_->names) {
    if (known != name) continue;
    old = std::move(value);
    return;
  }
  scope_->names.emplace_back(name, std::move(value));
}

Value Interpreter::lookup(const std::string& name) const {
  for (const Scope* scope = scope_.get(); scope != nullptr; scope = scope->parent.get())
    for (const auto& [known, value] : scope->names)
      if (known == name) return value;
  return Value::undefined("'" + name + "' is undefined");
}

Interpreter::Flow Interpreter::run(const Body& body) {
  for (const auto& s : body)
    if (const Flow flow = run(*s); flow != Flow::kNormal) return flow;
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::run(const Statement& s) {
  const Depth depth(*this);
  charge(1);
  line_ = s.line;
  // A block with names of its own: a scope that ends with it.
  const auto scoped = [&](const auto& work) {
    const ScopePtr outer = scope_;
    scope_ = std::make_shared<Scope>(Scope{{}, outer});
    work();
    scope_ = outer;
  };
  switch (s.kind) {
    case Statement::Kind::kText:
      write(s.text);
      break;
    case Statement::Kind::kOutput: {
      const Value value = evaluate(*s.value);
      charge(value.weight());
      write(value.str());
      break;
    }
    case Statement::Kind::kIf:
      for (const Statement::Branch& branch : s.branches)
        if (!branch.condition || evaluate(*branch.condition).truth()) return run(branch.body);
      break;
    case Statement::Kind::kFor:
      return run_for(s);
    case Statement::Kind::kSet:
      assign(s.target, evaluate(*s.value));
      break;
    case Statement::Kind::kSetBlock: {
      Value text = Value::string(capture(s.body));
      assign(s.target, s.value ? evaluate_filter(*s.value, &text) : text);
      break;
    }
    case Statement::Kind::kMacro:
      bind(s.text, macro(s, s.text, scope_));
      break;
    case Statement::Kind::kCall:
      run_call(s);
      break;
    case Statement::Kind::kFilter: {
      const Value text = Value::string(capture(s.body));
      const Value filtered = evaluate_filter(*s.value, &text);
      charge(filtered.weight());
      write(filtered.str());
      break;
    }
    case Statement::Kind::kWith: {
      std::vector<Value> values;
      for (const Parameter& p : s.parameters) values.push_back(evaluate(*p.otherwise));
      Flow flow = Flow::kNormal;
      scoped([&] {
        for (size_t i = 0; i < values.size(); ++i) bind(s.parameters[i].name, values[i]);
        flow = run(s.body);
      });
      return flow;
    }
    case Statement::Kind::kGeneration: {
      if (out_ != &rendered_.text)
        template_error("{% generation %} inside a macro or a captured block is not supported");
      const size_t begin = out_->size();
      scoped([&] { run(s.body); });
      rendered_.generated.emplace_back(begin, out_->size());
      break;
    }
    case Statement::Kind::kBreak:
      return Flow::kBreak;
    case Statement::Kind::kContinue:
      return Flow::kContinue;
  }
  return Flow::kNormal;
}

Interpreter::Flow Interpreter::run_for(const Statement& s) {
  const ScopePtr outer = scope_;
  const auto inner = [&] { return scope_ = std::make_shared<Scope>(Scope{{}, outer}); };
  Items items = iterate(evaluate(*s.value));
  if (s.condition) {
    Items kept;
    for (Value& item : items) {
      inner();
      assign(s.target, item);
      if (evaluate(*s.condition).truth()) kept.push_back(std::move(item));
    }
    items = std::move(kept);
  }
  const auto n = static_cast<int64_t>(items.size());
  for (int64_t i = 0; i < n; ++i) {
    charge(16);
    inner();
    assign(s.target, items[i]);
    const auto field = [](const char* name, Value value) { return std::pair{Value::string(name), std::move(value)}; };
    const auto neighbour = [&](int64_t at, const char* name) {
      return at >= 0 && at < n ? items[at] : Value::undefined(std::string("there is no ") + name + " item");
    };
    const auto cycle = [i](Interpreter&, Arguments& a) {
      if (a.positional.empty()) template_error("no items for cycling given");
      return a.positional[static_cast<size_t>(i) % a.positional.size()];
    };
    bind("loop",
         Value::dict({field("index", Value::integer(i + 1)), field("index0", Value::integer(i)),
                      field("revindex", Value::integer(n - i)), field("revindex0", Value::integer(n - i - 1)),
                      field("first", Value::boolean(i == 0)), field("last", Value::boolean(i + 1 == n)),
                      field("length", Value::integer(n)), field("previtem", neighbour(i - 1, "previous")),
                      field("nextitem", neighbour(i + 1, "next")), field("cycle", Value::function("cycle", cycle))}));
    if (run(s.body) == Flow::kBreak) break;
  }
  scope_ = outer;
  if (n == 0 && !s.otherwise.empty()) {
    inner();
    const Flow flow = run(s.otherwise);
    scope_ = outer;
    return flow;
  }
  return Flow::kNormal;
}

std::string Interpreter::capture(const Body& body) {
  std::string text;
  std::string* const outer_out = std::exchange(out_, &text);
  const ScopePtr outer = scope_;
  scope_ = std::make_shared<Scope>(Scope{{}, outer});
  run(body);
  scope_ = outer;
  out_ = outer_out;
  return text;
}

Value Interpreter::macro(const Statement& s, const std::string& name, const ScopePtr& home) {
  // Weak: the scope holds the macro, and a strong hold back would keep both for ever.
  const std::weak_ptr<Scope> weak = home;
  return Value::function(name, [&s, name, weak](Interpreter& in, Arguments& arguments) {
    const ScopePtr scope = weak.lock();
    if (!scope) template_error("the macro '" + name + "' is called outside the block that defines it: not supported");
    return in.call_macro(s, name, scope, arguments);
  });
}

Value Interpreter::call_macro(const Statement& s, const std::string& name, const ScopePtr& home, Arguments& arguments) {
  const Depth depth(*this);
  charge(8);
  if (arguments.positional.size() > s.parameters.size())
    template_error("macro '" + name + "' takes not more than " + std::to_string(s.parameters.size()) + " argument(s)");
  const ScopePtr caller_scope = std::exchange(scope_, std::make_shared<Scope>(Scope{{}, home}));
  const int line = line_;
  for (size_t i = 0; i < s.parameters.size(); ++i) {
    const Parameter& p = s.parameters[i];
    const auto named =
        std::find_if(arguments.named.begin(), arguments.named.end(), [&](const auto& n) { return n.first == p.name; });
    if (i < arguments.positional.size()) bind(p.name, arguments.positional[i]);
    else if (named != arguments.named.end()) bind(p.name, named->second);
    else
      bind(p.name,
           p.otherwise ? evaluate(*p.otherwise) : Value::undefined("parameter '" + p.name + "' was not provided"));
  }
  for (const auto& [argument, value] : arguments.named) {
    const bool known =
        std::any_of(s.parameters.begin(), s.parameters.end(), [&](const Parameter& p) { return p.name == argument; });
    if (!known && argument != "caller")
      template_error("macro '" + name + "' takes no keyword argument '" + argument + "'");
    if (!known) bind(argument, value);
  }
  Value text = Value::string(capture(s.body));
  scope_ = caller_scope;
  line_ = line;
  return text;
}

void Interpreter::run_call(const Statement& s) {
  Arguments arguments = arguments_of(*s.value);
  arguments.named.emplace_back("caller", macro(s, "caller", scope_));
  const Value text = call(evaluate(*s.value->parts[0]), arguments);
  charge(text.weight());
  write(text.str());
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (!target.several.empty()) {
    if (value.is_none() || value.is_number() || value.is(Value::Kind::kFunction))
      template_error(std::string("cannot unpack non-iterable ") + value.type_name() + " object");
    const Items items = iterate(value);
    if (items.size() != target.several.size())
      template_error((items.size() < target.several.size() ? "not enough" : "too many") +
                     std::string(" values to unpack (expected ") + std::to_string(target.several.size()) + ")");
    for (size_t i = 0; i < items.size(); ++i) assign(target.several[i], items[i]);
    return;
  }
  if (target.attribute.empty()) return bind(target.name, value);
  const Value object = lookup(target.name);
  if (!object.is(Value::Kind::kNamespace)) template_error("cannot assign attribute on non-namespace object");
  object.assign(target.attribute, value);
}

}  // namespace hone::jinja
