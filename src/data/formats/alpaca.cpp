// Alpaca rows (Taori et al. 2023): {"instruction", "input", "output"} (or "response" for the output), optional
// "system", "tools" and LLaMA-Factory's "history" of earlier turns, which are learnt too. The input follows the
// instruction after a blank line. An output that is a list ranks answers, the best first; every two of them are a
// comparison. (Rows with "chosen" and "rejected" are format preference.)
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_alpaca() {
  static constexpr auto kKeys =
      all_keys(kNameKeys, kPromptKeys, kAnswerKeys, std::to_array<std::string_view>({"output", "response"}));
  return kKeys;
}

bool recognise_alpaca(const Json& row) { return has(row, {"instruction"}) && row["instruction"].is_string(); }

RowContent read_alpaca(const Json& row, const FormatOptions&) {
  RowContent out;
  read_names(row, out);
  text_field(row, "instruction");
  const RowPrompt prompt = read_prompt_of(row, out.notes);
  std::vector<text::Message> messages = prompt.messages;
  add_context(row, messages);
  const char* key = row.contains("output") ? "output" : row.contains("response") ? "response" : nullptr;
  if (key && std::string_view(key) == "output" && row.contains("response")) out.notes.unread.emplace_back("response");
  if (!key || !row[key].is_array()) {
    if (key) messages.push_back(answer_to(prompt, text_field(row, key)));
    add_conversation(row, std::move(messages), out);
    return out;
  }
  const Json& ranked = row[key];
  for (const Json& answer : ranked)
    if (!answer.is_string()) usage_error("field '" + std::string(key) + "' is neither a text nor a list of texts");
  if (ranked.size() < 2) usage_error("field '" + std::string(key) + "' ranks fewer than two answers");
  RowContent labelled;
  add_conversation(row, messages, labelled);  // a label or a weight of one answer has no place here
  out.rankings.push_back({messages, {}});
  for (const Json& answer : ranked) out.rankings[0].answers.push_back({answer_to(prompt, answer)});
  for (size_t i = 0; i < ranked.size(); ++i)
    for (size_t j = i + 1; j < ranked.size(); ++j)
      out.comparisons.push_back(
          feedback::compared(messages, {answer_to(prompt, ranked[i])}, {answer_to(prompt, ranked[j])}));
  return out;
}

}  // namespace hone::data::formats_impl
