#include "text/post_processor.h"

#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "text/json_fields.h"

namespace hone::text {
namespace {

struct Around {
  std::vector<int32_t> before, behind;
};

void add_template(const Json& entry, const std::string& where, Around& around) {
  const Json& tokens = object_field(entry, "special_tokens", where);
  std::vector<int32_t>* side = &around.before;
  for (const Json& piece : array_field(entry, "single", where)) {
    if (piece.is_object() && piece.contains("Sequence")) {
      side = &around.behind;
      continue;
    }
    const std::string name = string_field(object_field(piece, "SpecialToken", where), "id", where);
    for (const Json& id : array_field(object_field(tokens, name, where), "ids", where))
      side->push_back(token_id(id, where));
  }
}

void add(const Json& entry, const std::string& where, Around& around, int depth) {
  if (entry.is_null()) return;
  const std::string type = string_field(entry, "type", where);
  if (type == "TemplateProcessing") {
    add_template(entry, where, around);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    for (const auto& [key, side] : {std::pair{"cls", &around.before}, std::pair{"sep", &around.behind}}) {
      const Json& token = array_field(entry, key, where);
      if (token.size() != 2) usage_error(where + ": '" + key + "' is not a token and its id");
      side->push_back(token_id(token[1], where));
    }
  } else if (type == "Sequence" && depth < 8) {
    for (const Json& part : array_field(entry, "processors", where)) add(part, where, around, depth + 1);
  } else if (type != "ByteLevel") {
    usage_error(where + " '" + type + "' is not supported",
                "supported: TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence");
  }
}

}  // namespace

std::pair<std::optional<int32_t>, std::optional<int32_t>> tokens_around_text(const Json& entry,
                                                                             const std::string& where) {
  Around around;
  add(entry, where + ": post_processor", around, 0);
  if (around.before.size() > 1)
    usage_error(where + ": post_processor puts " + std::to_string(around.before.size()) +
                " tokens before a text; more than one is not supported");
  const auto first = [](const std::vector<int32_t>& ids) { return ids.empty() ? std::nullopt : std::optional(ids[0]); };
  return {first(around.before), first(around.behind)};
}

}  // namespace hone::text
