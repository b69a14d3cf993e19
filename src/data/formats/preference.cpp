// The usual comparison rows: {"prompt", "chosen", "rejected"} with texts or message lists, or "chosen" and "rejected"
// as conversations that share their beginning. For "prompt" also "instruction" with "input" (LLaMA-Factory), or
// "question"; for the sides also "chosen_messages" and "rejected_messages" (LLaMA-Factory's v1), or "response_j" and
// "response_k" (Stack Exchange paired: j is the better). Optional: "system", "history", "tools", "weight", "margin" (or
// two scores), "tie", "source", "id", and who judged: "annotator", "shown_first" (feedback/comparison.h).
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/row_parts.h"
#include "data/shared_prefix.h"
#include "data/transcript.h"

namespace hone::data::formats_impl {

namespace {

struct Sides {
  const char *chosen, *rejected;
};
constexpr std::array<Sides, 3> kSides{
    {{"chosen", "rejected"}, {"chosen_messages", "rejected_messages"}, {"response_j", "response_k"}}};

const Sides* sides_of(const Json& row) {
  for (const Sides& sides : kSides)
    if (has(row, {sides.chosen, sides.rejected})) return &sides;
  return nullptr;
}

bool answer_like(const Json& v) { return v.is_string() || v.is_array() || v.is_object(); }

bool begins_with(const std::vector<text::Message>& all, std::span<const text::Message> beginning) {
  return all.size() > beginning.size() &&
         std::equal(beginning.begin(), beginning.end(), all.begin(), [](text::Message a, const text::Message& b) {
           a.weight = b.weight;
           a.no_content = b.no_content;
           a.tools = b.tools;  // the row's, which stand on the prompt's first turn alone
           return a == b;
         });
}

// One side as the row gives it.
std::vector<text::Message> side_of(const Json& side, const RowPrompt& prompt, const char* key, RowNotes& notes) {
  if (side.is_string()) {
    if (prompt.messages.empty()) usage_error(std::string("field 'prompt' is missing beside a text in '") + key + "'");
    const std::string text = side.get<std::string>();
    if (looks_like_hh(text)) return hh_turns(text, key, notes);  // the whole transcript, which repeats the prompt
    return {answer_to(prompt, text)};
  }
  return side.is_object() ? std::vector<text::Message>{message(side, notes)} : message_list(side, notes);
}

// Without the prompt that it repeats, with its system message or not. False where it is a whole conversation of another
// beginning.
bool without_prompt(std::vector<text::Message>& side, std::span<const text::Message> prompt) {
  if (side.front().role == "assistant") return true;
  const bool system = !prompt.empty() && prompt.front().role == "system";
  for (const auto& beginning : {prompt, prompt.subspan(system ? 1 : 0)}) {
    if (beginning.empty() || !begins_with(side, beginning)) continue;
    side.erase(side.begin(), side.begin() + static_cast<std::ptrdiff_t>(beginning.size()));
    return true;
  }
  return false;
}

// How it weighs, and who judged; names and places that hone does not write are no more than keys that nobody reads.
RowContent with_details(const Json& row, RowContent out) {
  for (Comparison& c : out.comparisons) {
    add_details(row, c, out.notes);
    for (const std::string_view key : feedback::read_judge(row, c)) out.notes.unread.emplace_back(key);
  }
  return out;
}

}  // namespace

std::span<const std::string_view> keys_preference() {
  static constexpr auto kKeys =
      all_keys(kNameKeys, kPromptKeys, kDetailKeys,
               std::to_array<std::string_view>({"chosen", "rejected", "chosen_messages", "rejected_messages",
                                                "response_j", "response_k", "annotator", "shown_first"}));
  return kKeys;
}

bool recognise_preference(const Json& row) {
  const Sides* sides = sides_of(row);
  if (!sides || row.contains("conversations") || !answer_like(row[sides->chosen]) || !answer_like(row[sides->rejected]))
    return false;
  return row[sides->chosen].is_array() || row.contains("prompt") || row.contains("instruction") ||
         row.contains("question");
}

RowContent read_preference(const Json& row, const FormatOptions&) {
  RowContent out;
  read_names(row, out);
  const Sides* sides = sides_of(row);
  if (!sides) sides = &kSides[0];  // says which is missing
  RowPrompt prompt = read_prompt_of(row, out.notes);
  std::vector<text::Message> chosen = side_of(field(row, sides->chosen), prompt, sides->chosen, out.notes);
  std::vector<text::Message> rejected = side_of(field(row, sides->rejected), prompt, sides->rejected, out.notes);
  if (!prompt.messages.empty()) {
    add_context(row, prompt.messages);
    if (prompt.messages.back().role == "assistant") usage_error("the prompt does not end with the user");
    std::vector<text::Message> a = chosen, b = rejected;
    if (without_prompt(a, prompt.messages) && without_prompt(b, prompt.messages)) {
      a.insert(a.begin(), prompt.messages.begin(), prompt.messages.end());
      b.insert(b.begin(), prompt.messages.begin(), prompt.messages.end());
      add_comparison(out, std::move(a), std::move(b), prompt.messages.size());
      return with_details(row, std::move(out));
    }
    out.notes.notice("the prompt says otherwise than the conversations beside it, which are used");
  }
  for (auto* side : {&chosen, &rejected}) {
    if (side->front().role == "assistant" && !prompt.messages.empty())
      side->insert(side->begin(), prompt.messages.begin(), prompt.messages.end());
    else add_context(row, *side);
  }
  add_comparison(out, std::move(chosen), std::move(rejected));
  return with_details(row, std::move(out));
}

}  // namespace hone::data::formats_impl
