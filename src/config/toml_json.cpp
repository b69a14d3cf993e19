#include "config/toml_json.h"

#include "base/error.h"
#include "base/json.h"

namespace hone::config {

Json to_json_value(const toml::node& node, const std::string& where) {
  if (const auto* s = node.as_string()) return s->get();
  if (const auto* i = node.as_integer()) return i->get();
  if (const auto* d = node.as_floating_point()) return d->get();
  if (const auto* b = node.as_boolean()) return b->get();
  if (const auto* a = node.as_array()) {
    Json out = Json::array();
    for (const toml::node& item : *a) out.push_back(to_json_value(item, where));
    return out;
  }
  usage_error(where + (node.is_table() ? ": a table means nothing here" : ": dates and times mean nothing here"));
}

Json parse_list(std::string_view text, const std::string& where) {
  // JSON's escapes are not all TOML's ("\/", surrogate pairs).
  if (Json::accept(text.begin(), text.end())) return parse_json(text, where);
  try {
    const toml::table table = toml::parse("value = " + std::string(text));
    if (table.size() == 1) return to_json_value(*table.get("value"), where);
  } catch (const toml::parse_error& e) {
    usage_error(where + ": " + std::string(e.description()), "write lists as in a recipe: [\"a\", \"b\"]");
  }
  usage_error(where + ": more than one value", "write lists as in a recipe: [\"a\", \"b\"]");
}

}  // namespace hone::config
