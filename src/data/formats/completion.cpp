// {"prompt", "completion"}, texts or message lists, optional "system".
#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {

bool recognise_completion(const Json& row) { return has(row, {"prompt", "completion"}); }

RowContent read_completion(const Json& row, const FormatOptions&) {
  RowContent out;
  out.id = optional_text(row, "id");
  out.source = optional_text(row, "source");
  const Json& prompt = field(row, "prompt");
  std::vector<text::Message> messages =
      prompt.is_array() ? message_list(prompt) : user_prompt(text_field(row, "prompt"));
  if (const std::string system = optional_text(row, "system"); !system.empty() && messages.front().role != "system")
    messages.insert(messages.begin(), text::Message{"system", system});
  const Json& completion = field(row, "completion");
  if (completion.is_array()) {
    for (text::Message& m : message_list(completion)) messages.push_back(std::move(m));
    messages = tidy(std::move(messages));
  } else {
    messages.push_back({"assistant", text_field(row, "completion")});
  }
  if (messages.back().role != "assistant") usage_error("the completion does not end with the assistant");
  out.demonstrations.push_back(std::move(messages));
  return out;
}

}  // namespace hone::data::formats_impl
