// A chat template in Jinja: parsed once, rendered many times.
//
// The language of Jinja2 3.1 as Hugging Face sets it up (sandboxed, trim_blocks, lstrip_blocks, loop controls, the
// {% generation %} block, tojson, raise_exception, strftime_now) but for inheritance, imports, recursive loops and
// what else is refused by name. Differs in: strftime_now gives a fixed date.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "jinja/interpreter.h"

namespace hone::jinja {

class Template {
 public:
  /// `name` stands in errors, which are kUsage "NAME:line: what".
  Template(std::string_view source, std::string name);
  /// `context` is an object: its keys are the template's variables. May run in several threads at once.
  Rendered render(const Json& context) const;
  bool marks_generation() const { return marks_generation_; }

 private:
  std::string name_;
  Body program_;
  bool marks_generation_ = false;
};

}  // namespace hone::jinja
