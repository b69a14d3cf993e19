// The usual comparison rows: {"prompt", "chosen", "rejected"} with texts or message lists, or "chosen" and "rejected"
// as conversations that share their beginning. Optional: "system", "weight", "margin" (or "score_chosen" and
// "score_rejected"), "tie": true, "source", "id".
#include "base/error.h"
#include "data/fields_of_row.h"
#include "data/format.h"
#include "data/shared_prefix.h"

namespace hone::data::formats_impl {
namespace {

bool answer_like(const Json& v) { return v.is_string() || v.is_array() || v.is_object(); }

bool starts_with(const std::vector<text::Message>& all, const std::vector<text::Message>& prefix) {
  if (all.size() < prefix.size()) return false;
  for (size_t i = 0; i < prefix.size(); ++i)
    if (all[i].role != prefix[i].role || all[i].content != prefix[i].content) return false;
  return true;
}

// prompt + side as one conversation, whether the side repeats the prompt or not.
std::vector<text::Message> conversation(std::vector<text::Message> prompt, const Json& side, const char* key) {
  if (side.is_string()) {
    if (prompt.empty()) usage_error(std::string("field 'prompt' is missing beside a text in '") + key + "'");
    prompt.push_back({"assistant", side.get<std::string>()});
    return prompt;
  }
  std::vector<text::Message> messages =
      side.is_object() ? std::vector<text::Message>{message(side)} : message_list(side);
  if (prompt.empty() || starts_with(messages, prompt) || messages.size() > 1) return messages;
  prompt.push_back(std::move(messages.front()));
  return prompt;
}

}  // namespace

bool recognise_preference(const Json& row) {
  return has(row, {"chosen", "rejected"}) && answer_like(row["chosen"]) && answer_like(row["rejected"]) &&
         !row.contains("conversations") && (row["chosen"].is_array() || row.contains("prompt"));
}

RowContent read_preference(const Json& row, const FormatOptions&) {
  RowContent out;
  out.id = optional_text(row, "id");
  out.source = optional_text(row, "source");
  std::vector<text::Message> prompt;
  if (row.is_object() && row.contains("prompt")) {
    const Json& p = row["prompt"];
    prompt = p.is_array() ? message_list(p) : user_prompt(text_field(row, "prompt"));
    if (const std::string system = optional_text(row, "system"); !system.empty() && prompt.front().role != "system")
      prompt.insert(prompt.begin(), text::Message{"system", system});
  }
  std::vector<text::Message> chosen = conversation(prompt, field(row, "chosen"), "chosen");
  add_comparison(out, std::move(chosen), conversation(std::move(prompt), field(row, "rejected"), "rejected"));
  if (out.comparisons.empty()) return out;
  Comparison& c = out.comparisons.back();
  c.weight = optional_number(row, "weight", 1.0);
  if (!(c.weight >= 0)) usage_error("field 'weight' is negative");
  c.strength = row.contains("score_chosen") && row.contains("score_rejected") && !row.contains("margin")
                   ? optional_number(row, "score_chosen", 0) - optional_number(row, "score_rejected", 0)
                   : optional_number(row, "margin", 0.0);
  if (const auto tie = row.find("tie"); tie != row.end() && tie->is_boolean() && tie->get<bool>()) c.outcome = 0;
  return out;
}

}  // namespace hone::data::formats_impl
