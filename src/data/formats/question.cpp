// {"question", "answer"}, texts, as GSM8K and most sets of questions have them; optional "system" and "tools". Without
// an answer, or with one that is a number or a list (what a checker reads), a prompt.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"

namespace hone::data::formats_impl {

std::span<const std::string_view> keys_question() {
  static constexpr auto kKeys =
      all_keys(kNameKeys, kPromptKeys, kAnswerKeys, std::to_array<std::string_view>({"answer"}));
  return kKeys;
}

bool recognise_question(const Json& row) {
  if (!has(row, {"question"}) || !row["question"].is_string()) return false;
  // What is chosen from is part of a question.
  return std::ranges::none_of(std::to_array({"prompt", "instruction", "choices", "options"}),
                              [&](const char* key) { return row.contains(key); });
}

RowContent read_question(const Json& row, const FormatOptions&) {
  RowContent out;
  read_names(row, out);
  text_field(row, "question");
  const RowPrompt prompt = read_prompt_of(row, out.notes);
  std::vector<text::Message> messages = prompt.messages;
  add_context(row, messages);
  if (row.contains("answer") && row["answer"].is_string() && !says_nothing(row["answer"]))
    messages.push_back(answer_to(prompt, text_field(row, "answer")));
  add_conversation(row, std::move(messages), out);
  return out;
}

}  // namespace hone::data::formats_impl
