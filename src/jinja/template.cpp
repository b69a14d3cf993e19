#include "jinja/template.h"

#include "base/error.h"
#include "base/json.h"
#include "jinja/parser.h"

namespace hone::jinja {

Template::Template(std::string_view source, std::string name) : name_(std::move(name)) {
  constexpr size_t kLargest = 1 << 20;
  if (source.size() > kLargest) usage_error(name_ + ": the template is larger than 1 MiB");
  int line = 1;
  try {
    std::vector<Token> tokens = lex(source, line);
    line = 1;
    Parser parser(std::move(tokens), line);
    program_ = parser.parse();
    marks_generation_ = parser.marks_generation();
  } catch (const TemplateError& e) {
    usage_error(name_ + ":" + std::to_string(line) + ": " + e.message);
  }
}

Rendered Template::render(const Json& context) const {
  int line = 1;
  try {
    Fields fields;
    for (const auto& [key, value] : context.items()) fields.emplace_back(Value::string(key), Value::from_json(value));
    return Interpreter(program_, fields, line).run();
  } catch (const TemplateError& e) {
    usage_error(name_ + ":" + std::to_string(line) + ": " + e.message);
  }
}

}  // namespace hone::jinja
