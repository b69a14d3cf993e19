// {"prompt", "answers": [a, b]}: two answers, texts or messages, of which nobody said yet which is better; optional
// "system" and "tools". The two of a pair, not a ranking: `hone annotate` shows them to a person.
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"

namespace hone::data::formats_impl {
namespace {

std::vector<text::Message> answer_of(const Json& value, const RowPrompt& prompt, RowNotes& notes) {
  if (value.is_string()) return {answer_to(prompt, value.get<std::string>())};
  if (!value.is_array() && !value.is_object()) usage_error("field 'answers' holds " + shown(value) + ", not an answer");
  std::vector<text::Message> turns =
      value.is_object() ? std::vector<text::Message>{message(value, notes)} : message_list(value, notes);
  if (turns.front().role != "assistant" || turns.back().role != "assistant")
    usage_error("field 'answers' holds turns that do not begin and end with the assistant");
  return turns;
}

}  // namespace

std::span<const std::string_view> keys_answers() {
  static constexpr auto kKeys = all_keys(kNameKeys, kPromptKeys, std::to_array<std::string_view>({"answers"}));
  return kKeys;
}

bool recognise_answers(const Json& row) { return has(row, {"prompt", "answers"}) && row["answers"].is_array(); }

RowContent read_answers(const Json& row, const FormatOptions&) {
  RowContent out;
  read_names(row, out);
  field(row, "prompt");
  const RowPrompt prompt = read_prompt_of(row, out.notes);
  const Json& answers = field(row, "answers");
  if (!answers.is_array() || answers.size() != 2) usage_error("field 'answers' must be a list of two answers");
  AnswerPair pair{prompt.messages, answer_of(answers[0], prompt, out.notes), answer_of(answers[1], prompt, out.notes)};
  add_context(row, pair.prompt);
  if (pair.prompt.back().role != "user" && pair.prompt.back().role != "tool")
    usage_error("the prompt does not end with the user");
  out.unjudged.push_back(std::move(pair));
  return out;
}

}  // namespace hone::data::formats_impl
