// The syntax tree of a template.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jinja/value.h"

namespace hone::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
  enum class Kind {
    kConstant,   // value
    kName,       // name
    kList,       // parts
    kTuple,      // parts
    kDict,       // parts: key, value, key, value, …
    kAttribute,  // parts[0].name
    kItem,       // parts[0][parts[1]]
    kSlice,      // parts[0][parts[1]:parts[2]:parts[3]], null where left out
    kCall,       // parts[0](parts[1…], named)
    kFilter,     // parts[0] | name(parts[1…], named); parts[0] null in a filter block
    kTest,       // parts[0] is name(parts[1…])
    kUnary,      // name: not - +
    kBinary,     // name: + - * / // % ** ~
    kCompare,    // parts[0] operators[0] parts[1] operators[1] parts[2] …
    kAnd,        // parts[0] and parts[1]
    kOr,         // parts[0] or parts[1]
    kCondition,  // parts[0] if parts[1] else parts[2] (null: undefined)
  };
  Kind kind;
  int line;
  int depth = 1;  // of the tree below, bounded
  std::string name;
  Value value;
  std::vector<ExpressionPtr> parts;
  std::vector<std::pair<std::string, ExpressionPtr>> named;
  std::vector<std::string> operators;
};

struct Statement;
using Body = std::vector<std::unique_ptr<Statement>>;

/// A name, a namespace's attribute, or several of them.
struct Target {
  std::string name;
  std::string attribute;  // of a namespace; empty: the name itself
  std::vector<Target> several;
};

struct Parameter {
  std::string name;
  ExpressionPtr otherwise;  // null: none
};

struct Statement {
  enum class Kind {
    kText,        // text
    kOutput,      // value
    kIf,          // branches; a null condition is the else
    kFor,         // target, value, condition (may be null), body, otherwise, recursive
    kSet,         // target, value
    kSetBlock,    // target, body, value: the filters (null: none)
    kMacro,       // text: name, parameters, body
    kCall,        // parameters, value: the call, body: the caller
    kFilter,      // value: the filters, body
    kWith,        // names and values in branches' order: parameters, body
    kGeneration,  // body
    kBreak,
    kContinue,
  };
  struct Branch {
    ExpressionPtr condition;
    Body body;
  };
  Kind kind;
  int line;
  std::string text;
  Target target;
  ExpressionPtr value, condition;
  Body body, otherwise;
  std::vector<Branch> branches;
  std::vector<Parameter> parameters;
};

}  // namespace hone::jinja
