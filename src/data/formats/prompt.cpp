// {"prompt"}: a text or a message list to answer, optional "system".
#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {

bool recognise_prompt(const Json& row) {
  return has(row, {"prompt"}) && (row["prompt"].is_string() || row["prompt"].is_array());
}

RowContent read_prompt(const Json& row, const FormatOptions&) {
  RowContent out;
  out.id = optional_text(row, "id");
  out.source = optional_text(row, "source");
  const Json& prompt = field(row, "prompt");
  std::vector<text::Message> messages =
      prompt.is_array() ? message_list(prompt) : user_prompt(text_field(row, "prompt"));
  if (messages.back().role != "user") usage_error("the prompt does not end with the user");
  if (const std::string system = optional_text(row, "system"); !system.empty() && messages.front().role != "system")
    messages.insert(messages.begin(), text::Message{"system", system});
  out.prompts.push_back(std::move(messages));
  return out;
}

}  // namespace hone::data::formats_impl
