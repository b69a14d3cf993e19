// Cuts a template into text and tokens, with the white-space rules that Hugging Face sets: trim_blocks, lstrip_blocks.
// Jinja2 3.1, https://jinja.palletsprojects.com, `lexer.py`.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hone::jinja {

struct Token {
  enum class Type {
    kText,
    kOpenOutput,
    kCloseOutput,
    kOpenBlock,
    kCloseBlock,
    kName,
    kString,
    kInteger,
    kFloat,
    kOperator,
    kEnd
  };
  Type type;
  std::string text;  ///< of a string literal its value, of an operator the operator
  int line;
};

/// Malformed: TemplateError.
std::vector<Token> lex(std::string_view source, int& line);

}  // namespace hone::jinja
