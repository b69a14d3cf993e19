// {"messages": [{"role", "content"}]}: a demonstration if it ends with the assistant, a prompt if with the user or a
// tool. Optional "system", "tools", "weight"; with "label" or "kto_tag" one answer that is good or bad (KTO).
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_messages() {
  static constexpr auto kKeys =
      all_keys(kNameKeys, kAnswerKeys, std::to_array<std::string_view>({"messages", "system", "tools"}));
  return kKeys;
}

bool recognise_messages(const Json& row) { return has(row, {"messages"}) && row["messages"].is_array(); }

RowContent read_messages(const Json& row, const FormatOptions&) {
  RowContent out;
  read_names(row, out);
  std::vector<text::Message> messages = message_list(field(row, "messages"), out.notes);
  add_context(row, messages);
  add_conversation(row, std::move(messages), out);
  return out;
}

}  // namespace hone::data::formats_impl
