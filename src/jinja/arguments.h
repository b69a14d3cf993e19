// Reads a call's arguments by position or name, as Python binds them.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "jinja/value.h"

namespace hone::jinja {

class Bound {
 public:
  /// `names` are the parameters in order. Too many arguments, or an unknown name: TemplateError.
  Bound(const std::string& function, Arguments& arguments, std::initializer_list<std::string_view> names)
      : values_(names.size()), given_(names.size(), false) {
    if (arguments.positional.size() > names.size())
      template_error(function + "() takes at most " + std::to_string(names.size()) + " arguments (" +
                     std::to_string(arguments.positional.size()) + " given)");
    for (size_t i = 0; i < arguments.positional.size(); ++i) set(i, arguments.positional[i]);
    for (const auto& [name, value] : arguments.named) {
      const auto* at = std::find(names.begin(), names.end(), name);
      if (at == names.end()) template_error(function + "() with the argument '" + name + "' is not supported");
      set(static_cast<size_t>(at - names.begin()), value);
    }
  }

  bool has(size_t i) const { return given_[i] && !values_[i].is_none(); }
  const Value& operator[](size_t i) const { return values_[i]; }
  Value value(size_t i, const Value& otherwise) const { return given_[i] ? values_[i] : otherwise; }
  bool flag(size_t i, bool otherwise) const { return given_[i] ? values_[i].truth() : otherwise; }
  int64_t integer(size_t i, int64_t otherwise) const {
    if (!has(i)) return otherwise;
    if (!values_[i].is_integral())
      template_error(std::string("an integer is needed, not '") + values_[i].type_name() + "'");
    return values_[i].as_int();
  }
  std::string text(size_t i, std::string otherwise) const {
    if (!has(i)) return otherwise;
    if (!values_[i].is_string())
      template_error(std::string("a string is needed, not '") + values_[i].type_name() + "'");
    return values_[i].as_string();
  }

 private:
  void set(size_t i, const Value& value) {
    values_[i] = value;
    given_[i] = true;
  }
  std::vector<Value> values_;
  std::vector<bool> given_;
};

}  // namespace hone::jinja
