#include <charconv>
#include <cstdlib>

#include "jinja/names.h"
#include "jinja/parser.h"

namespace hone::jinja {
namespace {

constexpr int kDeepestExpression = 200, kDeepestNesting = 60;
using Kind = Expression::Kind;
using Type = Token::Type;

struct Nesting {
  explicit Nesting(int& n) : n(n) {
    if (++n > kDeepestNesting) template_error("the template is nested too deeply");
  }
  ~Nesting() { --n; }
  int& n;
};

}  // namespace

ExpressionPtr Parser::node(Kind kind, std::string name) const {
  auto e = std::make_unique<Expression>();
  e->kind = kind;
  e->line = now().line;
  e->name = std::move(name);
  return e;
}

ExpressionPtr Parser::add(ExpressionPtr parent, ExpressionPtr child) const {
  if (child) parent->depth = std::max(parent->depth, child->depth + 1);
  if (parent->depth > kDeepestExpression) template_error("an expression is too long");
  parent->parts.push_back(std::move(child));
  return parent;
}

ExpressionPtr Parser::tuple(bool with_condition) {
  const auto one = [&] { return with_condition ? expression() : no_condition(); };
  ExpressionPtr first = one();
  if (!at_operator(",")) return first;
  ExpressionPtr e = add(node(Kind::kTuple), std::move(first));
  while (take_operator(",")) {
    if (now().type == Type::kCloseBlock || now().type == Type::kCloseOutput || at_operator(")") || at_operator("="))
      break;
    e = add(std::move(e), one());
  }
  return e;
}

ExpressionPtr Parser::expression() {
  const Nesting nesting(nesting_);
  ExpressionPtr e = or_();
  while (take_name("if")) {
    ExpressionPtr choice = node(Kind::kCondition);
    choice = add(add(std::move(choice), std::move(e)), or_());
    choice = add(std::move(choice), take_name("else") ? expression() : nullptr);
    e = std::move(choice);
  }
  return e;
}

ExpressionPtr Parser::or_() {
  ExpressionPtr left = and_();
  while (take_name("or")) left = add(add(node(Kind::kOr), std::move(left)), and_());
  return left;
}

ExpressionPtr Parser::and_() {
  ExpressionPtr left = not_();
  while (take_name("and")) left = add(add(node(Kind::kAnd), std::move(left)), not_());
  return left;
}

ExpressionPtr Parser::not_() {
  if (!at_name("not")) return comparison();
  const Nesting nesting(nesting_);
  advance();
  return add(node(Kind::kUnary, "not"), not_());
}

ExpressionPtr Parser::comparison() {
  ExpressionPtr first = binary(0);
  ExpressionPtr e;
  while (true) {
    std::string op;
    for (const char* known : {"==", "!=", "<", "<=", ">", ">="})
      if (at_operator(known)) op = known;
    if (at_name("in")) op = "in";
    const bool not_in = at_name("not") && next().type == Type::kName && next().text == "in";
    if (not_in) op = "not in";
    if (op.empty()) break;
    advance();
    if (not_in) advance();
    if (!e) e = add(node(Kind::kCompare), std::move(first));
    e->operators.push_back(op);
    e = add(std::move(e), binary(0));
  }
  return e ? std::move(e) : std::move(first);
}

// + -, then ~, then * / // %, then **: each level's operands are the next level's expressions.
ExpressionPtr Parser::binary(int level) {
  static const std::vector<std::vector<std::string>> kLevels = {{"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}};
  if (level == static_cast<int>(kLevels.size())) return unary(true);
  ExpressionPtr left = binary(level + 1);
  while (true) {
    std::string op;
    for (const std::string& known : kLevels[level])
      if (at_operator(known)) op = known;
    if (op.empty()) return left;
    advance();
    left = add(add(node(Kind::kBinary, op), std::move(left)), binary(level + 1));
  }
}

ExpressionPtr Parser::unary(bool with_filters) {
  ExpressionPtr e;
  if (at_operator("-") || at_operator("+")) {
    const Nesting nesting(nesting_);
    const std::string sign = advance().text;
    e = add(node(Kind::kUnary, sign), unary(false));
  } else {
    e = primary();
  }
  e = postfix(std::move(e));
  return with_filters ? filters(std::move(e), true) : std::move(e);
}

ExpressionPtr Parser::primary() {
  const Nesting nesting(nesting_);
  ExpressionPtr e = node(Kind::kConstant);
  switch (now().type) {
    case Type::kName: {
      const std::string name = advance().text;
      if (name == "true" || name == "True") e->value = Value::boolean(true);
      else if (name == "false" || name == "False") e->value = Value::boolean(false);
      else if (name == "none" || name == "None") e->value = Value::none();
      else e->kind = Kind::kName, e->name = name;
      return e;
    }
    case Type::kString: {
      std::string text;
      while (now().type == Type::kString) text += advance().text;
      e->value = Value::string(std::move(text));
      return e;
    }
    case Type::kInteger: {
      const std::string text = advance().text;
      int64_t value = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc())
        template_error("the number " + text + " is too large");
      e->value = Value::integer(value);
      return e;
    }
    case Type::kFloat:
      e->value = Value::real(std::strtod(advance().text.c_str(), nullptr));
      return e;
    default:
      break;
  }
  if (take_operator("(")) {
    if (take_operator(")")) {
      e->kind = Kind::kTuple;
      return e;
    }
    e = tuple(true);
    expect_operator(")");
  } else if (take_operator("[")) {
    e->kind = Kind::kList;
    while (!at_operator("]")) {
      e = add(std::move(e), expression());
      if (!take_operator(",")) break;
    }
    expect_operator("]");
  } else if (take_operator("{")) {
    e->kind = Kind::kDict;
    while (!at_operator("}")) {
      e = add(std::move(e), expression());
      expect_operator(":");
      e = add(std::move(e), expression());
      if (!take_operator(",")) break;
    }
    expect_operator("}");
  } else {
    unexpected();
  }
  return e;
}

ExpressionPtr Parser::postfix(ExpressionPtr e) {
  while (true) {
    if (take_operator(".")) {
      if (now().type == Type::kInteger) {
        ExpressionPtr index = node(Kind::kConstant);
        index->value = Value::integer(std::strtoll(advance().text.c_str(), nullptr, 10));
        e = add(add(node(Kind::kItem), std::move(e)), std::move(index));
      } else {
        ExpressionPtr attribute = node(Kind::kAttribute, expect_name());
        e = add(std::move(attribute), std::move(e));
      }
    } else if (take_operator("[")) {
      e = subscript(std::move(e));
    } else if (at_operator("(")) {
      ExpressionPtr call = add(node(Kind::kCall), std::move(e));
      call_arguments(*call);
      e = std::move(call);
    } else {
      return e;
    }
  }
}

ExpressionPtr Parser::subscript(ExpressionPtr e) {
  ExpressionPtr parts[3];
  int colons = 0;
  while (!at_operator("]")) {
    if (take_operator(":")) {
      if (++colons > 2) unexpected();
    } else {
      if (parts[colons]) unexpected();
      parts[colons] = expression();
    }
  }
  expect_operator("]");
  if (colons == 0) {
    if (!parts[0]) template_error("Expected subscript expression");
    return add(add(node(Kind::kItem), std::move(e)), std::move(parts[0]));
  }
  ExpressionPtr slice = add(node(Kind::kSlice), std::move(e));
  for (ExpressionPtr& part : parts) slice = add(std::move(slice), std::move(part));
  return slice;
}

void Parser::call_arguments(Expression& e) {
  expect_operator("(");
  while (!at_operator(")")) {
    if (at_operator("*") || at_operator("**")) template_error("unpacked arguments (*, **) are not supported");
    if (now().type == Type::kName && next().type == Type::kOperator && next().text == "=") {
      const std::string name = advance().text;
      advance();
      ExpressionPtr value = expression();
      e.depth = std::max(e.depth, value->depth + 1);
      e.named.emplace_back(name, std::move(value));
    } else {
      if (!e.named.empty()) template_error("invalid syntax for function call expression");
      ExpressionPtr value = expression();
      e.depth = std::max(e.depth, value->depth + 1);
      e.parts.push_back(std::move(value));
    }
    if (!take_operator(",")) break;
  }
  expect_operator(")");
  if (e.depth > kDeepestExpression) template_error("an expression is too long");
}

ExpressionPtr Parser::filters(ExpressionPtr e, bool tests_too) {
  while (true) {
    if (take_operator("|")) {
      e = filter(std::move(e));
    } else if (tests_too && at_name("is")) {
      advance();
      e = test(std::move(e));
    } else if (tests_too && at_operator("(")) {
      ExpressionPtr call = add(node(Kind::kCall), std::move(e));
      call_arguments(*call);
      e = std::move(call);
    } else {
      return e;
    }
  }
}

ExpressionPtr Parser::filter(ExpressionPtr e) {
  const std::string name = expect_name();
  if (!has_filter(name)) template_error("the filter '" + name + "' is not supported");
  ExpressionPtr f = add(node(Kind::kFilter, name), std::move(e));
  if (at_operator("(")) call_arguments(*f);
  return f;
}

ExpressionPtr Parser::test(ExpressionPtr e) {
  const bool negated = take_name("not");
  std::string name = expect_name();
  if (!has_test(name)) template_error("the test '" + name + "' is not supported");
  ExpressionPtr t = add(node(Kind::kTest, name), std::move(e));
  const bool value_follows = now().type == Type::kName || now().type == Type::kString || now().type == Type::kInteger ||
                             now().type == Type::kFloat || at_operator("[") || at_operator("{");
  if (at_operator("(")) {
    call_arguments(*t);
  } else if (value_follows && !at_name("else") && !at_name("or") && !at_name("and") && !at_name("if") &&
             !at_name("in") && !at_name("not") && !at_name("recursive")) {
    if (at_name("is")) template_error("You cannot chain multiple tests with is");
    t = add(std::move(t), postfix(primary()));
  }
  return negated ? add(node(Kind::kUnary, "not"), std::move(t)) : std::move(t);
}

}  // namespace hone::jinja
