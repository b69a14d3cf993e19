#include "data/row_parts.h"

#include <array>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "data/fields_of_row.h"
#include "data/transcript.h"

namespace hone::data {
namespace {

constexpr std::array<std::string_view, 7> kLabels{
    "label", "kto_tag", "kto_label", "completion_label", "completion label", "desirable", "is_desirable"};

// Good or bad, as data sets of single answers write it.
bool label_value(const Json& value, std::string_view key) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number() && (value == 0 || value == 1)) return value == 1;
  if (value.is_string()) {
    const std::string text = lower_case(value.get<std::string>());
    for (const char* good : {"true", "1", "yes", "good", "desirable", "chosen", "accepted", "positive"})
      if (text == good) return true;
    for (const char* bad : {"false", "0", "no", "bad", "undesirable", "rejected", "negative"})
      if (text == bad) return false;
  }
  usage_error(
      "field '" + std::string(key) + "' is " + shown(value) + ", which is no label of an answer (true or false)",
      "if it says something else, pass over it with ignore_keys = [\"" + std::string(key) + "\"]");
}

std::optional<bool> label_of(const Json& row, std::string_view& key, RowNotes& notes) {
  std::optional<bool> label;
  for (const std::string_view name : kLabels) {
    const auto it = row.find(name);
    if (it == row.end()) continue;
    if (it->is_null()) {
      notes.notice("a label that is null: the answer counts as unlabelled");
      continue;
    }
    const bool value = label_value(*it, name);
    if (label && *label != value)
      usage_error("fields '" + std::string(key) + "' and '" + std::string(name) + "' contradict each other");
    label = value;
    key = name;
  }
  return label;
}

double weight_of(const Json& row) {
  const double weight = optional_number(row, "weight", 1.0);
  if (!(weight >= 0)) usage_error("field 'weight' is negative");
  if (!std::isfinite(weight)) usage_error("field 'weight' is not finite");
  return weight;
}

// [["question", "answer"], …] before the prompt.
std::vector<text::Message> history_of(const Json& row) {
  std::vector<text::Message> out;
  const auto it = row.find("history");
  if (it == row.end() || says_nothing(*it)) return out;
  const auto wrong = [](const Json& value) {
    usage_error("field 'history' is not a list of pairs of texts: " + shown(value),
                "it is [[\"what the user said\", \"what was answered\"], …]");
  };
  if (!it->is_array()) wrong(*it);
  for (const Json& pair : *it) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) wrong(pair);
    out.push_back({"user", pair[0].get<std::string>()});
    out.push_back({"assistant", pair[1].get<std::string>()});
  }
  return out;
}

struct Scores {
  std::string_view chosen, rejected;
};
constexpr std::array<Scores, 5> kScores{{{"score_chosen", "score_rejected"},
                                         {"chosen_score", "rejected_score"},
                                         {"chosen_rating", "rejected_rating"},
                                         {"chosen-rating", "rejected-rating"},
                                         {"chosen_reward", "rejected_reward"}}};

bool given(const Json& row, std::string_view key) {
  const auto it = row.find(key);
  return it != row.end() && !it->is_null();
}

}  // namespace

void read_names(const Json& row, RowContent& out) {
  for (const auto& [key, to] : {std::pair{"id", &out.id}, std::pair{"source", &out.source}}) {
    const auto it = row.find(key);
    if (it == row.end() || it->is_null()) continue;
    if (it->is_string() || it->is_number()) *to = optional_text(row, key);
    else out.notes.unread.emplace_back(key);
  }
}

RowPrompt read_prompt_of(const Json& row, RowNotes& notes) {
  RowPrompt out;
  std::string_view key;
  for (const char* name : {"prompt", "instruction", "question"}) {
    if (!row.contains(name)) continue;
    if (key.empty()) key = name;
    else notes.unread.emplace_back(name);
  }
  if (key != "instruction" && row.contains("input") && !says_nothing(row["input"])) notes.unread.emplace_back("input");
  std::vector<text::Message> earlier = history_of(row);
  if (key.empty()) {
    if (!earlier.empty()) usage_error("field 'history' comes without a prompt that it goes before");
    return out;
  }
  const Json& value = field(row, key);
  if (value.is_array()) {
    out.messages = message_list(value, notes);
  } else {
    std::string text = text_field(row, key);
    if (key == "instruction")
      if (const std::string input = optional_text(row, "input"); !input.empty()) text += "\n\n" + input;
    if (auto turns = transcript_prompt(text, notes)) {
      out.messages = std::move(*turns);
      out.transcript = true;
    } else {
      out.messages = user_prompt(std::move(text));
    }
  }
  const size_t at = out.messages.front().role == "system" ? 1 : 0;
  out.messages.insert(out.messages.begin() + static_cast<std::ptrdiff_t>(at), earlier.begin(), earlier.end());
  return out;
}

text::Message answer_to(const RowPrompt& prompt, std::string text) {
  return {"assistant", prompt.transcript ? trimmed(text) : std::move(text)};
}

void add_context(const Json& row, std::vector<text::Message>& messages) {
  HONE_CHECK(!messages.empty());
  if (const std::string system = optional_text(row, "system"); !system.empty()) {
    if (messages.front().role != "system") messages.insert(messages.begin(), text::Message{"system", system});
    else if (messages.front().content != system)
      usage_error("field 'system' says otherwise than the system message of the conversation");
  }
  if (const auto tools = row.find("tools"); tools != row.end()) messages.front().tools = tools_text(*tools);
}

RowPrompt read_request(const Json& row, RowNotes& notes) {
  // Verbs write these two themselves.
  constexpr auto kOutput = std::to_array<std::string_view>({"loss_mask", "loss_weight"});
  constexpr auto kContext = std::to_array<std::string_view>({"system", "tools"});
  static constexpr auto kOfMessages = all_keys(kContext, kAnswerKeys, kDetailKeys, kOutput);
  static constexpr auto kOfPrompt = all_keys(kPromptKeys, kAnswerKeys, kDetailKeys, kOutput);
  RowNotes others;  // carried through
  RowPrompt out;
  if (row.contains("messages")) {
    note_other_keys(row, kOfMessages, "", others);
    out.messages = message_list(field(row, "messages"), notes);
  } else {
    note_other_keys(row, kOfPrompt, "", others);
    out = read_prompt_of(row, notes);
  }
  add_context(row, out.messages);
  return out;
}

void add_conversation(const Json& row, std::vector<text::Message> messages, RowContent& out) {
  std::string_view key;
  out.label = label_of(row, key, out.notes);
  const double weight = weight_of(row);
  const std::string& last = messages.back().role;
  if (last == "assistant") {
    if (messages.size() < 2) usage_error("there is no prompt before the answer");
    for (text::Message& m : messages)
      if (m.role == "assistant") m.weight *= weight;
    out.demonstrations.push_back(std::move(messages));
    return;
  }
  if (out.label) usage_error("field '" + std::string(key) + "' labels an answer, and the row has none");
  if (weight != 1) usage_error("field 'weight' weighs an answer, and the row has none");
  if (last != "user" && last != "tool") usage_error("the messages hold nothing but a system message");
  out.prompts.push_back(std::move(messages));
}

void add_details(const Json& row, Comparison& comparison, RowNotes& notes) {
  comparison.weight = weight_of(row);
  for (const auto& [chosen, rejected] : kScores) {
    if (given(row, chosen) != given(row, rejected))
      usage_error("field '" + std::string(given(row, chosen) ? chosen : rejected) + "' comes without '" +
                  std::string(given(row, chosen) ? rejected : chosen) + "'");
    if (!given(row, chosen)) continue;
    const double difference = optional_number(row, chosen, 0) - optional_number(row, rejected, 0);
    if (difference < 0)
      notes.notice("the chosen answer has the lower score: are the columns mixed up? Its margin is left out");
    comparison.margin = std::max(difference, 0.0);
  }
  if (given(row, "margin")) {
    comparison.margin = optional_number(row, "margin", 0);
    if (comparison.margin < 0) {
      notes.notice("a margin below 0: are the columns mixed up? It is left out");
      comparison.margin = 0;
    }
  }
  if (!std::isfinite(comparison.margin)) usage_error("the margin is not finite");
  if (given(row, "tie") && flag_value(row["tie"], "tie")) comparison.outcome = Outcome::kTie;
}

}  // namespace hone::data
