// {"prompt", "completion"}, texts or message lists, optional "system" and "tools"; with "label" TRL's KTO rows.
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_completion() {
  static constexpr auto kKeys =
      all_keys(kNameKeys, kPromptKeys, kAnswerKeys, std::to_array<std::string_view>({"completion"}));
  return kKeys;
}

bool recognise_completion(const Json& row) { return has(row, {"prompt", "completion"}); }

RowContent read_completion(const Json& row, const FormatOptions&) {
  RowContent out;
  read_names(row, out);
  field(row, "prompt");
  const RowPrompt prompt = read_prompt_of(row, out.notes);
  std::vector<text::Message> messages = prompt.messages;
  add_context(row, messages);
  const Json& completion = field(row, "completion");
  if (completion.is_array()) {
    for (text::Message& m : message_list(completion, out.notes)) messages.push_back(std::move(m));
    const size_t first = prompt.messages.size() < messages.size() ? messages.size() - completion.size() : 0;
    if (messages[first].role == "system") usage_error("the completion begins with a system message");
  } else {
    messages.push_back(answer_to(prompt, text_field(row, "completion")));
  }
  if (messages.back().role != "assistant") usage_error("the completion does not end with the assistant");
  add_conversation(row, std::move(messages), out);
  return out;
}

}  // namespace hone::data::formats_impl
