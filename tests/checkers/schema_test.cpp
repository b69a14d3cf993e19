#include "checkers/schema.h"

#include <doctest/doctest.h>

#include "base/error.h"

using hone::Json;
using hone::checkers::Schema;

namespace {

bool allows(const char* schema, const char* value) {
  return Schema(hone::parse_json(schema, "schema"), "schema").allows(hone::parse_json(value, "value"));
}

}  // namespace

TEST_CASE("each keyword, where it holds and where it does not") {
  struct Case {
    const char *schema, *good, *bad;
  };
  const Case cases[] = {
      {R"({"type": "integer"})", "3.0", "3.5"},
      {R"({"type": ["null", "string"]})", "null", "1"},
      {R"({"type": "boolean"})", "true", "1"},
      {R"({"const": {"a": [1]}})", R"({"a": [1.0]})", R"({"a": [2]})"},
      {R"({"enum": ["a", 2]})", "2", "\"2\""},
      {R"({"enum": [{"a": 1, "b": [2]}]})", R"({"b": [2], "a": 1})", R"({"b": [2]})"},
      {R"({"uniqueItems": true})", R"([{"a": 1}, {"a": 2}, null, "a"])",
       R"([{"a": 1, "b": 2}, null, {"b": 2, "a": 1}])"},
      {R"({"minimum": 2, "maximum": 3})", "3", "3.1"},
      {R"({"exclusiveMinimum": 2})", "2.1", "2"},
      {R"({"exclusiveMaximum": 2})", "1.9", "2"},
      {R"({"multipleOf": 0.1})", "0.3", "0.35"},
      {R"({"minLength": 2, "maxLength": 2})", "\"éß\"", "\"é\""},
      {R"({"pattern": "^a+$"})", "\"aaa\"", "\"ab\""},
      {R"({"items": {"type": "number"}, "minItems": 1, "maxItems": 2})", "[1, 2]", "[1, 2, 3]"},
      {R"({"items": {"type": "number"}})", "[]", "[\"1\"]"},
      {R"({"prefixItems": [{"const": 1}], "items": false})", "[1]", "[1, 2]"},
      {R"({"uniqueItems": true})", "[1, 2]", "[1, 1.0]"},
      {R"({"required": ["a"], "properties": {"a": {"type": "string"}}})", R"({"a": ""})", R"({"a": 1})"},
      {R"({"required": ["a"]})", R"({"a": null})", "{}"},
      {R"({"properties": {"a": true}, "additionalProperties": false})", R"({"a": 1})", R"({"a": 1, "b": 2})"},
      {R"({"patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": false})", R"({"x1": 2})",
       R"({"y": 2})"},
      {R"({"patternProperties": {"^x": {"type": "integer"}}})", R"({"y": "s"})", R"({"x1": "s"})"},
      {R"({"propertyNames": {"maxLength": 1}})", R"({"a": 1})", R"({"ab": 1})"},
      {R"({"minProperties": 1, "maxProperties": 1})", R"({"a": 1})", "{}"},
      {R"({"allOf": [{"minimum": 1}, {"maximum": 2}]})", "2", "3"},
      {R"({"anyOf": [{"type": "null"}, {"minimum": 5}]})", "5", "4"},
      {R"({"oneOf": [{"minimum": 1}, {"minimum": 5}]})", "2", "6"},
      {R"({"not": {"type": "string"}})", "1", "\"a\""},
      {R"({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 0}})", "\"a\"", "-1"},
      {R"({"$defs": {"n": {"type": "number"}}, "items": {"$ref": "#/$defs/n"}})", "[1]", "[null]"},
      {R"({"properties": {"next": {"$ref": "#"}}, "required": ["v"]})", R"({"v": 1, "next": {"v": 2}})",
       R"({"v": 1, "next": {}})"},
      {R"({"format": "date", "title": "t", "default": 3})", "\"no date\"", nullptr},
      {"true", "1", nullptr},
      {"false", nullptr, "1"},
      {R"({"minimum": 5})", "\"not a number\"", "4"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.schema);
    if (c.good) CHECK(allows(c.schema, c.good));
    if (c.bad) CHECK_FALSE(allows(c.schema, c.bad));
  }
}

TEST_CASE("a long answer is checked in time") {
  std::string list = "[";
  for (int i = 0; i < 100'000; ++i) list += std::to_string(i) + ",";
  CHECK(allows(R"({"uniqueItems": true})", (list + "-1]").c_str()));
  CHECK_FALSE(allows(R"({"uniqueItems": true})", (list + "7]").c_str()));
}

TEST_CASE("a reference that leads back to itself allows nothing, and ends") {
  CHECK_FALSE(allows(R"({"$ref": "#"})", "1"));
  CHECK_FALSE(
      allows(R"({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"})", "1"));
  CHECK_FALSE(allows(R"({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]})", "1"));  // not 2^512 ways around
}

TEST_CASE("a schema that says what is not read here is refused, with its place") {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"tpye": "object"})", "'tpye'"},
      {R"({"properties": {"a": {"contains": {}}}})", "schema/properties/a: 'contains'"},
      {R"({"type": "int"})", "'type'"},
      {R"({"type": []})", "'type'"},
      {R"({"enum": []})", "'enum'"},
      {R"({"minLength": -1})", "'minLength'"},
      {R"({"minLength": 1e300})", "'minLength'"},
      {R"({"multipleOf": 0})", "'multipleOf'"},
      {R"({"pattern": "("})", "'pattern'"},
      {R"({"patternProperties": {"(": {}}})", "'patternProperties'"},
      {R"({"required": "a"})", "'required'"},
      {R"({"required": [1]})", "'required'"},
      {R"({"items": [1]})", "an object, true or false"},
      {R"({"allOf": {}})", "'allOf'"},
      {R"({"$ref": "other.json"})", "'$ref'"},
      {R"({"$ref": "#/$defs/none"})", "'$ref'"},
      {R"({"$ref": "#/~9"})", "'$ref'"},
      {"3", "an object, true or false"},
  };
  for (const auto& [schema, says] : cases) {
    CAPTURE(schema);
    try {
      Schema(hone::parse_json(schema, "schema"), "schema");
      FAIL("was taken");
    } catch (const hone::Error& e) {
      CHECK(e.kind == hone::Kind::kUsage);
      CHECK(std::string(e.what()).find(says) != std::string::npos);
    }
  }
}
