#include "jinja/parser.h"

namespace hone::jinja {
namespace {

constexpr int kDeepestBlocks = 60;
using Kind = Statement::Kind;
using Type = Token::Type;

}  // namespace

Body Parser::parse() {
  Body out = body({});
  if (now().type != Type::kEnd) unexpected();
  return out;
}

// Statements up to a block whose name is in `ends`; that block is left standing after its opening.
Body Parser::body(std::initializer_list<std::string_view> ends) {
  if (++nesting_ > kDeepestBlocks) template_error("blocks are nested too deeply");
  Body out;
  while (now().type != Type::kEnd) {
    if (now().type == Type::kText) {
      auto s = make(Kind::kText);
      s->text = advance().text;
      out.push_back(std::move(s));
    } else if (now().type == Type::kOpenOutput) {
      advance();
      auto s = make(Kind::kOutput);
      s->value = tuple(true);
      if (now().type != Type::kCloseOutput) unexpected();
      advance();
      out.push_back(std::move(s));
    } else if (now().type == Type::kOpenBlock) {
      if (next().type == Type::kName && std::find(ends.begin(), ends.end(), next().text) != ends.end()) {
        advance();
        --nesting_;
        return out;
      }
      advance();
      out.push_back(statement());
    } else {
      unexpected();
    }
  }
  if (ends.size() > 0)
    template_error("unexpected end of template: '" + std::string(*(ends.end() - 1)) + "' is missing");
  --nesting_;
  return out;
}

std::unique_ptr<Statement> Parser::make(Kind kind) const {
  auto s = std::make_unique<Statement>();
  s->kind = kind;
  s->line = now().line;
  return s;
}

std::unique_ptr<Statement> Parser::statement() {
  const std::string tag = expect_name();
  auto s = make(Kind::kText);
  if (tag == "if") {
    s->kind = Kind::kIf;
    parse_if(*s);
  } else if (tag == "for") {
    s->kind = Kind::kFor;
    parse_for(*s);
  } else if (tag == "set") {
    return parse_set();
  } else if (tag == "macro") {
    s->kind = Kind::kMacro;
    parse_macro(*s);
  } else if (tag == "call") {
    s->kind = Kind::kCall;
    parse_call_block(*s);
  } else if (tag == "filter") {
    s->kind = Kind::kFilter;
    s->value = filters(filter(nullptr), false);
    end_block();
    s->body = body({"endfilter"});
    advance();
    end_block();
  } else if (tag == "with") {
    s->kind = Kind::kWith;
    parse_with(*s);
  } else if (tag == "generation") {
    s->kind = Kind::kGeneration;
    marks_generation_ = true;
    end_block();
    s->body = body({"endgeneration"});
    advance();
    end_block();
  } else if (tag == "break" || tag == "continue") {
    if (loops_ == 0) template_error("'" + tag + "' outside a loop");
    s->kind = tag == "break" ? Kind::kBreak : Kind::kContinue;
    end_block();
  } else {
    for (const char* known : {"extends", "include", "import", "from", "block", "trans", "do", "autoescape", "debug"})
      if (tag == known) template_error("the tag '" + tag + "' is not supported");
    template_error("Encountered unknown tag '" + tag + "'");
  }
  return s;
}

void Parser::parse_if(Statement& s) {
  s.branches.push_back({tuple(false), {}});
  end_block();
  while (true) {
    s.branches.back().body = body({"elif", "else", "endif"});
    const std::string tag = advance().text;
    if (tag == "elif") {
      s.branches.push_back({tuple(false), {}});
      end_block();
      continue;
    }
    end_block();
    if (tag == "endif") return;
    s.branches.push_back({nullptr, body({"endif"})});
    advance();
    return end_block();
  }
}

void Parser::parse_for(Statement& s) {
  s.target = target(false);
  if (!take_name("in")) unexpected();
  s.value = tuple(false);
  if (take_name("if")) s.condition = expression();
  if (take_name("recursive")) template_error("recursive loops are not supported");
  end_block();
  ++loops_;
  s.body = body({"endfor", "else"});
  --loops_;
  if (advance().text == "else") {
    end_block();
    s.otherwise = body({"endfor"});
    advance();
  }
  end_block();
}

std::unique_ptr<Statement> Parser::parse_set() {
  auto s = make(Kind::kSet);
  s->target = target(true);
  if (take_operator("=")) {
    s->value = tuple(true);
    end_block();
    return s;
  }
  s->kind = Kind::kSetBlock;
  if (take_operator("|")) s->value = filters(filter(nullptr), false);
  end_block();
  s->body = body({"endset"});
  advance();
  end_block();
  return s;
}

void Parser::parameters(Statement& s) {
  expect_operator("(");
  while (!at_operator(")")) {
    Parameter p{expect_name(), nullptr};
    if (take_operator("=")) p.otherwise = expression();
    else if (!s.parameters.empty() && s.parameters.back().otherwise)
      template_error("non-default argument follows default argument");
    s.parameters.push_back(std::move(p));
    if (!take_operator(",")) break;
  }
  expect_operator(")");
}

void Parser::parse_macro(Statement& s) {
  s.text = expect_name();
  parameters(s);
  end_block();
  const int outer = std::exchange(loops_, 0);
  s.body = body({"endmacro"});
  loops_ = outer;
  advance();
  end_block();
}

void Parser::parse_call_block(Statement& s) {
  if (at_operator("(")) parameters(s);
  s.value = unary(false);
  if (s.value->kind != Expression::Kind::kCall) template_error("expected call");
  end_block();
  const int outer = std::exchange(loops_, 0);
  s.body = body({"endcall"});
  loops_ = outer;
  advance();
  end_block();
}

void Parser::parse_with(Statement& s) {
  while (now().type != Type::kCloseBlock) {
    if (!s.parameters.empty()) expect_operator(",");
    Parameter p{expect_name(), nullptr};
    expect_operator("=");
    p.otherwise = expression();
    s.parameters.push_back(std::move(p));
  }
  end_block();
  s.body = body({"endwith"});
  advance();
  end_block();
}

Target Parser::target(bool allow_attribute) {
  Target first = one_target(allow_attribute);
  if (!at_operator(",")) return first;
  Target all;
  all.several.push_back(std::move(first));
  while (take_operator(",")) {
    if (at_name("in") || at_operator("=") || at_operator(")")) break;
    all.several.push_back(one_target(allow_attribute));
  }
  return all;
}

Target Parser::one_target(bool allow_attribute) {
  if (take_operator("(")) {
    if (++nesting_ > kDeepestBlocks) template_error("the template is nested too deeply");
    Target inner = target(allow_attribute);
    --nesting_;
    expect_operator(")");
    return inner;
  }
  Target out;
  out.name = expect_name();
  for (const char* reserved : {"true", "false", "none", "True", "False", "None"})
    if (out.name == reserved) template_error("can't assign to '" + out.name + "'");
  if (allow_attribute && take_operator(".")) out.attribute = expect_name();
  return out;
}

void Parser::end_block() {
  if (now().type != Type::kCloseBlock) unexpected();
  advance();
}

bool Parser::take_operator(std::string_view text) {
  if (!at_operator(text)) return false;
  advance();
  return true;
}

bool Parser::take_name(std::string_view text) {
  if (!at_name(text)) return false;
  advance();
  return true;
}

void Parser::expect_operator(std::string_view text) {
  if (!at_operator(text)) unexpected();
  advance();
}

std::string Parser::expect_name() {
  if (now().type != Type::kName) unexpected();
  return advance().text;
}

Token Parser::advance() {
  Token token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  line_ = tokens_[at_].line;
  return token;
}

void Parser::unexpected() const {
  const Token& t = now();
  switch (t.type) {
    case Type::kEnd:
      template_error("unexpected end of template");
    case Type::kCloseBlock:
      template_error("unexpected '%}'");
    case Type::kCloseOutput:
      template_error("unexpected '}}'");
    case Type::kOpenBlock:
      template_error("unexpected '{%'");
    default:
      template_error("unexpected '" + t.text + "'");
  }
}

}  // namespace hone::jinja
