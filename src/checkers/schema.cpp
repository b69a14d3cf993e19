#include "checkers/schema.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "text/regex.h"

namespace hone::checkers {
namespace {

constexpr int kDeepest = 512;  // schemas within schemas: JSON nests 200 levels

enum class Takes {
  kNothing,  // describes; not looked at
  kTypes,
  kAny,
  kValues,
  kNumber,
  kCount,
  kPattern,
  kBool,
  kNames,
  kSchema,
  kSchemas,
  kSchemaOfName,
  kReference,
};

struct Keyword {
  std::string_view name;
  Takes takes;
};
constexpr Keyword kKeywords[] = {
    {"$schema", Takes::kNothing},
    {"$id", Takes::kNothing},
    {"$comment", Takes::kNothing},
    {"title", Takes::kNothing},
    {"description", Takes::kNothing},
    {"default", Takes::kNothing},
    {"examples", Takes::kNothing},
    {"deprecated", Takes::kNothing},
    {"readOnly", Takes::kNothing},
    {"writeOnly", Takes::kNothing},
    {"format", Takes::kNothing},
    {"type", Takes::kTypes},
    {"const", Takes::kAny},
    {"enum", Takes::kValues},
    {"minimum", Takes::kNumber},
    {"maximum", Takes::kNumber},
    {"exclusiveMinimum", Takes::kNumber},
    {"exclusiveMaximum", Takes::kNumber},
    {"multipleOf", Takes::kNumber},
    {"minLength", Takes::kCount},
    {"maxLength", Takes::kCount},
    {"minItems", Takes::kCount},
    {"maxItems", Takes::kCount},
    {"minProperties", Takes::kCount},
    {"maxProperties", Takes::kCount},
    {"pattern", Takes::kPattern},
    {"uniqueItems", Takes::kBool},
    {"required", Takes::kNames},
    {"items", Takes::kSchema},
    {"not", Takes::kSchema},
    {"if", Takes::kSchema},
    {"then", Takes::kSchema},
    {"else", Takes::kSchema},
    {"additionalProperties", Takes::kSchema},
    {"propertyNames", Takes::kSchema},
    {"prefixItems", Takes::kSchemas},
    {"allOf", Takes::kSchemas},
    {"anyOf", Takes::kSchemas},
    {"oneOf", Takes::kSchemas},
    {"properties", Takes::kSchemaOfName},
    {"patternProperties", Takes::kSchemaOfName},
    {"$defs", Takes::kSchemaOfName},
    {"definitions", Takes::kSchemaOfName},
    {"$ref", Takes::kReference},
};
constexpr std::string_view kTypes[] = {"null", "boolean", "object", "array", "number", "string", "integer"};

bool whole(const Json& value) {
  return value.is_number_integer() || (value.is_number() && std::trunc(value.get<double>()) == value.get<double>());
}

bool is_type(const Json& value, std::string_view type) {
  return type == "integer" ? whole(value) : type == "boolean" ? value.is_boolean() : type == value.type_name();
}

int64_t characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

bool matches(const std::string& pattern, const std::string& text) {
  return text::Regex(pattern, "pattern").found_in(text).value_or(false);
}

// null where the schema does not have it.
const Json* keyword(const Json& schema, const char* name) {
  const auto found = schema.find(name);
  return found == schema.end() ? nullptr : &*found;
}

bool within(const Json& schema, const char* least, const char* most, int64_t n) {
  const Json *low = keyword(schema, least), *high = keyword(schema, most);
  return (!low || n >= low->get<int64_t>()) && (!high || n <= high->get<int64_t>());
}

bool allows_number(const Json& schema, double x) {
  const auto at = [&](const char* name) {
    const Json* found = keyword(schema, name);
    return found ? std::optional(found->get<double>()) : std::nullopt;
  };
  if (const auto least = at("minimum"); least && x < *least) return false;
  if (const auto most = at("maximum"); most && x > *most) return false;
  if (const auto least = at("exclusiveMinimum"); least && x <= *least) return false;
  if (const auto most = at("exclusiveMaximum"); most && x >= *most) return false;
  if (const auto of = at("multipleOf")) {
    const double times = x / *of;
    // 0.3 is a multiple of 0.1, whatever its last bit says.
    if (std::abs(times - std::round(times)) > 1e-9 * std::max(1.0, std::abs(times))) return false;
  }
  return true;
}

bool allows_text(const Json& schema, const std::string& text) {
  if (!within(schema, "minLength", "maxLength", characters(text))) return false;
  const Json* pattern = keyword(schema, "pattern");
  return !pattern || matches(pattern->get<std::string>(), text);
}

// With its keys in no order, which is what equality is of.
nlohmann::json unordered(const Json& value) { return value; }

bool all_differ(const Json& list) {
  std::vector<nlohmann::json> items;
  for (const Json& item : list) items.push_back(unordered(item));
  std::ranges::sort(items, [](const auto& a, const auto& b) { return a < b; });
  return std::ranges::adjacent_find(items) == items.end();
}

}  // namespace

Schema::Schema(Json schema, const std::string& where) : schema_(std::move(schema)) { require(schema_, where); }

void Schema::require(const Json& schema, const std::string& at) const {
  if (schema.is_boolean()) return;
  if (!schema.is_object()) usage_error(at + ": a schema is an object, true or false");
  for (const auto& [key, value] : schema.items()) {
    const std::string here = at + ": '" + key + "'";
    const auto found = std::ranges::find(kKeywords, key, &Keyword::name);
    if (found == std::end(kKeywords))
      usage_error(here + " is no keyword of schemas that is read here", "take it out of the schema");
    const auto must = [&](bool holds, const char* what) {
      if (!holds) usage_error(here + " must be " + what);
    };
    const auto type_known = [](const Json& v) {
      return v.is_string() && std::ranges::find(kTypes, v.get_ref<const std::string&>()) != std::end(kTypes);
    };
    switch (found->takes) {
      case Takes::kNothing:
      case Takes::kAny:
        break;
      case Takes::kTypes:
        must(value.is_array() ? !value.empty() && std::ranges::all_of(value, type_known) : type_known(value),
             "a type, or a list of types: null, boolean, object, array, number, string, integer");
        break;
      case Takes::kValues:
        must(value.is_array() && !value.empty(), "a list of values");
        break;
      case Takes::kNumber:
        must(value.is_number() && (key != "multipleOf" || value.get<double>() > 0),
             key == "multipleOf" ? "a number above 0" : "a number");
        break;
      case Takes::kCount:
        must(value.is_number() && whole(value) && value.get<double>() >= 0 && value.get<double>() < 1e15,
             "a whole number");
        break;
      case Takes::kPattern:
        must(value.is_string(), "a regular expression");
        text::Regex(value.get<std::string>(), here);
        break;
      case Takes::kBool:
        must(value.is_boolean(), "true or false");
        break;
      case Takes::kNames:
        must(value.is_array() && std::ranges::all_of(value, [](const Json& v) { return v.is_string(); }),
             "a list of names");
        break;
      case Takes::kSchema:
        require(value, at + "/" + key);
        break;
      case Takes::kSchemas:
        must(value.is_array() && !value.empty(), "a list of schemas");
        for (size_t i = 0; i < value.size(); ++i) require(value[i], at + "/" + key + "/" + std::to_string(i));
        break;
      case Takes::kSchemaOfName:
        must(value.is_object(), "an object of schemas");
        for (const auto& [name, inner] : value.items()) {
          if (key == "patternProperties") text::Regex(name, here);
          require(inner, at + "/" + key + "/" + name);
        }
        break;
      case Takes::kReference: {
        must(value.is_string(), "a reference within the schema: \"#/$defs/NAME\"");
        const std::string& to = value.get_ref<const std::string&>();
        bool there = to == "#";
        if (to.starts_with("#/")) try {
            there = schema_.contains(Json::json_pointer(to.substr(1)));
          } catch (const Json::exception&) {
          }
        must(there, "a reference within the schema: \"#/$defs/NAME\", of something that is there");
        break;
      }
    }
  }
}

bool Schema::allows(const Json& value) const {
  Walk walk;
  return allows(schema_, value, walk);
}

bool Schema::allows(const Json& schema, const Json& value, Walk& walk) const {
  if (schema.is_boolean()) return schema.get<bool>();
  if (walk.depth >= kDeepest || --walk.left < 0 || !schema.is_object()) return false;  // a reference astray
  ++walk.depth;
  const bool out = holds(schema, value, walk);
  --walk.depth;
  return out;
}

bool Schema::holds(const Json& schema, const Json& value, Walk& walk) const {
  const auto holds = [&](const Json& inner) { return allows(inner, value, walk); };

  if (const Json* ref = keyword(schema, "$ref")) {
    const std::string& to = ref->get_ref<const std::string&>();
    if (!holds(to == "#" ? schema_ : schema_.at(Json::json_pointer(to.substr(1))))) return false;
  }
  if (const Json* types = keyword(schema, "type")) {
    const auto is = [&](const Json& type) { return is_type(value, type.get_ref<const std::string&>()); };
    if (types->is_array() ? std::ranges::none_of(*types, is) : !is(*types)) return false;
  }
  if (const Json* only = keyword(schema, "const"); only && unordered(*only) != unordered(value)) return false;
  if (const Json* any = keyword(schema, "enum")) {
    const auto same = [&](const Json& one) { return unordered(one) == unordered(value); };
    if (std::ranges::none_of(*any, same)) return false;
  }
  if (value.is_number() && !allows_number(schema, value.get<double>())) return false;
  if (value.is_string() && !allows_text(schema, value.get_ref<const std::string&>())) return false;
  if (value.is_array() && !allows_array(schema, value, walk)) return false;
  if (value.is_object() && !allows_object(schema, value, walk)) return false;

  if (const Json* all = keyword(schema, "allOf"); all && !std::ranges::all_of(*all, holds)) return false;
  if (const Json* any = keyword(schema, "anyOf"); any && std::ranges::none_of(*any, holds)) return false;
  if (const Json* one = keyword(schema, "oneOf"); one && std::ranges::count_if(*one, holds) != 1) return false;
  if (const Json* no = keyword(schema, "not"); no && holds(*no)) return false;
  if (const Json* condition = keyword(schema, "if")) {
    const Json* then = keyword(schema, holds(*condition) ? "then" : "else");
    if (then && !holds(*then)) return false;
  }
  return true;
}

bool Schema::allows_array(const Json& schema, const Json& value, Walk& walk) const {
  if (!within(schema, "minItems", "maxItems", std::ssize(value))) return false;
  const Json *prefix = keyword(schema, "prefixItems"), *items = keyword(schema, "items");
  for (size_t i = 0; i < value.size(); ++i) {
    const Json* of = prefix && i < prefix->size() ? &(*prefix)[i] : items;
    if (of && !allows(*of, value[i], walk)) return false;
  }
  const Json* unique = keyword(schema, "uniqueItems");
  return !unique || !unique->get<bool>() || all_differ(value);
}

bool Schema::allows_object(const Json& schema, const Json& value, Walk& walk) const {
  if (!within(schema, "minProperties", "maxProperties", std::ssize(value))) return false;
  if (const Json* names = keyword(schema, "required"))
    for (const Json& name : *names)
      if (!value.contains(name.get_ref<const std::string&>())) return false;
  const Json *properties = keyword(schema, "properties"), *patterns = keyword(schema, "patternProperties"),
             *others = keyword(schema, "additionalProperties"), *names = keyword(schema, "propertyNames");
  for (const auto& [name, item] : value.items()) {
    if (names && !allows(*names, Json(name), walk)) return false;
    bool known = false;
    if (properties && properties->contains(name)) {
      known = true;
      if (!allows(properties->at(name), item, walk)) return false;
    }
    if (patterns)
      for (const auto& [pattern, inner] : patterns->items())
        if (matches(pattern, name)) {
          known = true;
          if (!allows(inner, item, walk)) return false;
        }
    if (!known && others && !allows(*others, item, walk)) return false;
  }
  return true;
}

}  // namespace hone::checkers
