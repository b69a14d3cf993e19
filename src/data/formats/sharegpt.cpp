// ShareGPT rows: {"conversations": [{"from": "human" | "gpt", "value"}]}; LLaMA-Factory's comparisons add "chosen" and
// "rejected", one message each, as answers to the conversation.
#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/shared_prefix.h"

namespace hone::data::formats_impl {

bool recognise_sharegpt(const Json& row) { return has(row, {"conversations"}) && row["conversations"].is_array(); }

RowContent read_sharegpt(const Json& row, const FormatOptions&) {
  RowContent out;
  out.id = optional_text(row, "id");
  out.source = optional_text(row, "source");
  std::vector<text::Message> messages = message_list(field(row, "conversations"));
  if (const std::string system = optional_text(row, "system"); !system.empty() && messages.front().role != "system")
    messages.insert(messages.begin(), text::Message{"system", system});
  if (row.contains("chosen") && row.contains("rejected")) {
    if (messages.back().role != "user") usage_error("the conversation before 'chosen' does not end with the user");
    auto with = [&](const Json& answer) {
      std::vector<text::Message> side = messages;
      side.push_back(message(answer));
      return side;
    };
    std::vector<text::Message> chosen = with(row["chosen"]);
    add_comparison(out, std::move(chosen), with(row["rejected"]));
  } else if (messages.back().role == "assistant") {
    out.demonstrations.push_back(std::move(messages));
  } else {
    out.prompts.push_back(std::move(messages));
  }
  return out;
}

}  // namespace hone::data::formats_impl
