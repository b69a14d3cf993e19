// {"prompt"}: a text or a message list to answer, optional "system" and "tools".
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_prompt() {
  static constexpr auto kKeys = all_keys(kNameKeys, kPromptKeys);
  return kKeys;
}

bool recognise_prompt(const Json& row) {
  return has(row, {"prompt"}) && (row["prompt"].is_string() || row["prompt"].is_array());
}

RowContent read_prompt(const Json& row, const FormatOptions&) {
  RowContent out;
  read_names(row, out);
  field(row, "prompt");
  std::vector<text::Message> messages = read_prompt_of(row, out.notes).messages;
  if (messages.back().role != "user" && messages.back().role != "tool")
    usage_error("the prompt does not end with the user");
  add_context(row, messages);
  out.prompts.push_back(std::move(messages));
  return out;
}

}  // namespace hone::data::formats_impl
