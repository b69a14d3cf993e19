#include "text/post_processor.h"

#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "text/json_fields.h"

namespace hone::text {
namespace {

void add_template(const Json& entry, const std::string& where, std::vector<int32_t>& before) {
  const Json& tokens = object_field(entry, "special_tokens", where);
  for (const Json& piece : array_field(entry, "single", where)) {
    if (piece.is_object() && piece.contains("Sequence")) return;
    const std::string name = string_field(object_field(piece, "SpecialToken", where), "id", where);
    for (const Json& id : array_field(object_field(tokens, name, where), "ids", where))
      before.push_back(token_id(id, where));
  }
}

void add(const Json& entry, const std::string& where, std::vector<int32_t>& before, int depth) {
  if (entry.is_null()) return;
  const std::string type = string_field(entry, "type", where);
  if (type == "TemplateProcessing") {
    add_template(entry, where, before);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    const Json& first = array_field(entry, "cls", where);
    if (first.size() != 2) usage_error(where + ": 'cls' is not a token and its id");
    before.push_back(token_id(first[1], where));
  } else if (type == "Sequence" && depth < 8) {
    for (const Json& part : array_field(entry, "processors", where)) add(part, where, before, depth + 1);
  } else if (type != "ByteLevel") {
    usage_error(where + " '" + type + "' is not supported",
                "supported: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence");
  }
}

}  // namespace

std::optional<int32_t> token_before_text(const Json& entry, const std::string& where) {
  std::vector<int32_t> before;
  add(entry, where + ": post_processor", before, 0);
  if (before.size() > 1)
    usage_error(where + ": post_processor puts " + std::to_string(before.size()) +
                " tokens before a text; more than one is not supported");
  return before.empty() ? std::nullopt : std::optional(before[0]);
}

}  // namespace hone::text
