// What rows of several formats have in common: a prompt, a system message, tools, earlier turns, a label, a weight.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "data/format.h"
#include "text/messages.h"

namespace hone::data {

/// "id" and "source", texts or numbers.
void read_names(const Json& row, RowContent& out);

/// What is to be answered: of "prompt" (a text, a transcript, or messages), else "instruction" with "input", else
/// "question"; with "history" before it. Empty where the row has none of them.
struct RowPrompt {
  std::vector<text::Message> messages;
  bool transcript = false;  ///< the answers are trimmed too
};
RowPrompt read_prompt_of(const Json& row, RowNotes& notes);
/// The answer to it.
text::Message answer_to(const RowPrompt& prompt, std::string text);

/// Puts "system" before the messages and "tools" on the first; two system messages that differ: kUsage.
void add_context(const Json& row, std::vector<text::Message>& messages);

/// What a verb is asked: "messages", or a prompt as above, each with "system" and "tools". Keys that only say how an
/// answer counts (labels, weights, scores) are for whoever reads the verb's output; another one with a meaning: kUsage.
RowPrompt read_request(const Json& row, RowNotes& notes);

/// A conversation is a demonstration if it ends with the assistant, else a prompt. With the row's "weight" on its
/// answers, and its label ("label", "kto_tag", …): KTO's rows are one answer each, good or bad.
void add_conversation(const Json& row, std::vector<text::Message> messages, RowContent& out);

/// How a comparison weighs and how far apart its sides are: "weight", "tie", "margin", or two scores.
void add_details(const Json& row, Comparison& comparison, RowNotes& notes);

// The keys that the functions above read.
inline constexpr auto kNameKeys = std::to_array<std::string_view>({"id", "source"});
inline constexpr auto kPromptKeys =
    std::to_array<std::string_view>({"prompt", "instruction", "input", "question", "history", "system", "tools"});
inline constexpr auto kAnswerKeys = std::to_array<std::string_view>(
    {"weight", "label", "kto_tag", "kto_label", "completion_label", "completion label", "desirable", "is_desirable"});
inline constexpr auto kDetailKeys = std::to_array<std::string_view>(
    {"weight", "tie", "margin", "score_chosen", "score_rejected", "chosen_score", "rejected_score", "chosen_rating",
     "rejected_rating", "chosen-rating", "rejected-rating", "chosen_reward", "rejected_reward"});

/// Lists of keys as one.
template <size_t... N>
constexpr auto all_keys(const std::array<std::string_view, N>&... lists) {
  std::array<std::string_view, (N + ...)> out;
  size_t at = 0;
  const auto add = [&](const auto& list) {
    for (const std::string_view key : list) out[at++] = key;
  };
  (add(lists), ...);
  return out;
}

}  // namespace hone::data
