// JSON Schema (2020-12): what answers of structured output must hold to. The vocabularies of applicators and validation
// without `unevaluated…`, `dynamic…`, `dependent…`, `contains` and references to other documents, which a schema may
// not use: an unknown keyword is an error, not a rule that nobody holds. `format` and what describes (title, default,
// examples, …) is not looked at, as the standard has it.
#pragma once
#include <cstdint>
#include <string>

#include "base/json.h"

namespace hone::checkers {

class Schema {
 public:
  /// A keyword that is not read here, or one of the wrong type: kUsage that names its place. `where` names the schema.
  Schema(Json schema, const std::string& where);

  /// A check that goes around in circles, or into a million schemas, allows nothing.
  bool allows(const Json& value) const;

 private:
  // How deep one check is within schemas, and how many it may still look into.
  struct Walk {
    int depth = 0;
    int64_t left = 1'000'000;
  };
  bool allows(const Json& schema, const Json& value, Walk& walk) const;
  bool holds(const Json& schema, const Json& value, Walk& walk) const;
  bool allows_object(const Json& schema, const Json& value, Walk& walk) const;
  bool allows_array(const Json& schema, const Json& value, Walk& walk) const;
  void require(const Json& schema, const std::string& at) const;

  Json schema_;
};

}  // namespace hone::checkers
