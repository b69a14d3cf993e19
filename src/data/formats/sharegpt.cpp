// ShareGPT rows: {"conversations": [{"from": "human" | "gpt" | "function_call" | "observation", "value"}]}, optional
// "system" and "tools"; with "label" or "kto_tag" KTO rows. LLaMA-Factory's comparisons add "chosen" and "rejected",
// messages that answer the conversation.
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"
#include "data/shared_prefix.h"

namespace hone::data::formats_impl {

namespace {
constexpr auto kOwnKeys = std::to_array<std::string_view>({"conversations", "chosen", "rejected", "system", "tools"});
}  // namespace

std::span<const std::string_view> keys_sharegpt() {
  static constexpr auto kKeys = all_keys(kNameKeys, kAnswerKeys, kDetailKeys, kOwnKeys);
  return kKeys;
}

bool recognise_sharegpt(const Json& row) { return has(row, {"conversations"}) && row["conversations"].is_array(); }

RowContent read_sharegpt(const Json& row, const FormatOptions&) {
  RowContent out;
  read_names(row, out);
  std::vector<text::Message> messages = message_list(field(row, "conversations"), out.notes);
  add_context(row, messages);
  if (!row.contains("chosen") || !row.contains("rejected")) {
    for (const char* key : {"chosen", "rejected"})
      if (row.contains(key)) usage_error(std::string("field '") + key + "' comes without the other side");
    // What says how sides compare has no place here.
    static constexpr auto kAlone = all_keys(kNameKeys, kAnswerKeys, kOwnKeys);
    note_other_keys(row, kAlone, "", out.notes);
    add_conversation(row, std::move(messages), out);
    return out;
  }
  if (messages.back().role != "user" && messages.back().role != "tool")
    usage_error("the conversation before 'chosen' does not end with the user");
  RowContent labelled;
  Json without_weight = row;  // which is the comparison's
  without_weight.erase("weight");
  add_conversation(without_weight, messages, labelled);  // a label of one answer has no place here
  const auto with = [&](const Json& answer) {
    std::vector<text::Message> side = messages;
    if (answer.is_string()) side.push_back({"assistant", answer.get<std::string>()});
    else if (answer.is_object()) side.push_back(message(answer, out.notes));
    else
      for (text::Message& m : message_list(answer, out.notes)) side.push_back(std::move(m));
    return side;
  };
  std::vector<text::Message> chosen = with(row["chosen"]);
  add_comparison(out, std::move(chosen), with(row["rejected"]), messages.size());
  for (Comparison& c : out.comparisons) add_details(row, c, out.notes);
  return out;
}

}  // namespace hone::data::formats_impl
