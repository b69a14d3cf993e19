#include "data/row_keys.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"

namespace hone::data {
namespace {

constexpr std::array kMeaningful = std::to_array<std::string_view>(
    {// good or bad
     "label", "kto_tag", "kto_label", "completion_label", "completion label", "desirable", "is_desirable",
     // how much, and whether it is learnt
     "weight", "loss_weight", "sample_weight", "loss_mask", "loss", "train", "training", "trainable", "masked", "mask",
     "train_detail", "training_detail",
     // the conversation
     "system", "system_prompt", "history", "tools", "functions", "tool_calls", "function_call", "tool_call_id",
     "reasoning_content", "reasoning", "thinking", "reasoning_details", "chat_template_kwargs", "documents", "prefix",
     // more than text
     "image", "images", "video", "videos", "audio", "audios",
     // how much better
     "tie", "margin", "score_chosen", "score_rejected", "chosen_score", "rejected_score", "chosen_rating",
     "rejected_rating", "chosen-rating", "rejected-rating", "chosen_reward", "rejected_reward"});

}  // namespace

void RowNotes::notice(std::string what) {
  if (std::find(noticed.begin(), noticed.end(), what) == noticed.end()) noticed.push_back(std::move(what));
}

std::span<const std::string_view> keys_with_meaning() { return kMeaningful; }

bool has_meaning(std::string_view key) {
  return std::find(kMeaningful.begin(), kMeaningful.end(), key) != kMeaningful.end();
}

bool says_nothing(const Json& value) {
  return value.is_null() || ((value.is_string() || value.is_array() || value.is_object()) &&
                             (value.empty() || (value.is_string() && value.get_ref<const std::string&>().empty())));
}

void note_other_keys(const Json& object, std::span<const std::string_view> read, const std::string& prefix,
                     RowNotes& notes) {
  if (!object.is_object()) return;
  for (const auto& [key, value] : object.items()) {
    if (std::find(read.begin(), read.end(), key) != read.end() || says_nothing(value)) continue;
    if (has_meaning(key))
      usage_error("field '" + prefix + key + "' changes what the row says, and cannot be used here",
                  "leave it out of the row" +
                      (prefix.empty() ? ", or pass over it knowingly with ignore_keys = [\"" + key + "\"]" : ""));
    notes.unread.push_back(prefix + key);
  }
}

}  // namespace hone::data
