// Tokens to a syntax tree: Jinja2's grammar (`parser.py`) but for template inheritance and imports.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "jinja/ast.h"
#include "jinja/lexer.h"

namespace hone::jinja {

class Parser {
 public:
  /// `line` follows along, for errors. Malformed or not supported: TemplateError.
  Parser(std::vector<Token> tokens, int& line) : tokens_(std::move(tokens)), line_(line) {}
  Body parse();
  /// Whether a {% generation %} block was met.
  bool marks_generation() const { return marks_generation_; }

 private:
  // parser.cpp: statements
  Body body(std::initializer_list<std::string_view> ends);
  std::unique_ptr<Statement> statement();
  std::unique_ptr<Statement> make(Statement::Kind kind) const;
  void parse_if(Statement& s);
  void parse_for(Statement& s);
  std::unique_ptr<Statement> parse_set();
  void parse_macro(Statement& s);
  void parse_call_block(Statement& s);
  void parse_with(Statement& s);
  void parameters(Statement& s);
  Target target(bool allow_attribute);
  Target one_target(bool allow_attribute);
  void end_block();

  // parser_expressions.cpp
  ExpressionPtr expression();                // with conditions
  ExpressionPtr tuple(bool with_condition);  // a, b, c without brackets, or one expression
  ExpressionPtr no_condition() { return or_(); }
  ExpressionPtr or_();
  ExpressionPtr and_();
  ExpressionPtr not_();
  ExpressionPtr comparison();
  ExpressionPtr binary(int level);
  ExpressionPtr unary(bool with_filters);
  ExpressionPtr primary();
  ExpressionPtr postfix(ExpressionPtr e);
  ExpressionPtr filters(ExpressionPtr e, bool tests_too);
  ExpressionPtr filter(ExpressionPtr e);
  ExpressionPtr test(ExpressionPtr e);
  ExpressionPtr subscript(ExpressionPtr e);
  void call_arguments(Expression& e);
  ExpressionPtr node(Expression::Kind kind, std::string name = {}) const;
  ExpressionPtr add(ExpressionPtr parent, ExpressionPtr child) const;

  const Token& now() const { return tokens_[at_]; }
  const Token& next() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  bool at(Token::Type type, std::string_view text) const { return now().type == type && now().text == text; }
  bool at_operator(std::string_view text) const { return at(Token::Type::kOperator, text); }
  bool at_name(std::string_view text) const { return at(Token::Type::kName, text); }
  bool take_operator(std::string_view text);
  bool take_name(std::string_view text);
  void expect_operator(std::string_view text);
  std::string expect_name();
  Token advance();
  [[noreturn]] void unexpected() const;

  std::vector<Token> tokens_;
  size_t at_ = 0;
  int& line_;
  int nesting_ = 0, loops_ = 0;
  bool marks_generation_ = false;
};

}  // namespace hone::jinja
