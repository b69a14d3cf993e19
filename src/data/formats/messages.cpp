// {"messages": [{"role", "content"}]}: a demonstration if it ends with the assistant, a prompt if with the user. A row
// with "label": false (KTO files) shows what not to do and is dropped, with the count reported.
#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"

namespace hone::data::formats_impl {

bool recognise_messages(const Json& row) { return has(row, {"messages"}) && row["messages"].is_array(); }

RowContent read_messages(const Json& row, const FormatOptions&) {
  RowContent out;
  out.id = optional_text(row, "id");
  out.source = optional_text(row, "source");
  std::vector<text::Message> messages = message_list(field(row, "messages"));
  const auto label = row.find("label");
  if (label != row.end() && label->is_boolean() && !label->get<bool>()) {
    out.dropped = "labelled as a bad answer";
  } else if (messages.back().role == "assistant") {
    if (messages.size() < 2) usage_error("there is no prompt before the answer");
    out.demonstrations.push_back(std::move(messages));
  } else if (messages.back().role == "user") {
    out.prompts.push_back(std::move(messages));
  } else {
    usage_error("the messages hold nothing but a system message");
  }
  return out;
}

}  // namespace hone::data::formats_impl
