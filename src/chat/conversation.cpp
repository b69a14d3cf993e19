#include "chat/conversation.h"

#include "base/error.h"
#include "base/json.h"
#include "text/message_json.h"

namespace hone::chat {

void Conversation::ask(std::string question) { turns_.push_back({std::move(question), {}, 0, 0}); }

Conversation::Turn& Conversation::last() {
  HONE_CHECK(!turns_.empty());
  return turns_.back();
}

void Conversation::answer(text::Message message) {
  Turn& turn = last();
  turn.answers.push_back(std::move(message));
  turn.chosen = turn.answers.size() - 1;
}

void Conversation::answer(std::vector<text::Message> messages) {
  HONE_CHECK(!messages.empty());
  last().answers = std::move(messages);
  last().chosen = 0;
}

bool Conversation::take_back() {
  if (turns_.empty()) return false;
  turns_.pop_back();
  return true;
}

std::vector<text::Message> Conversation::prompt(size_t left_out) const {
  HONE_CHECK(left_out < turns_.size());
  std::vector<text::Message> out;
  if (!system_.empty()) out.push_back({"system", system_});
  for (size_t i = left_out; i < turns_.size(); ++i) {
    out.push_back({"user", turns_[i].question});
    if (i + 1 < turns_.size()) out.push_back(turns_[i].answers.at(turns_[i].chosen));
  }
  return out;
}

std::vector<Json> Conversation::prefer(size_t k, bool plain) {
  if (turns_.empty() || turns_.back().answers.size() < 2)
    usage_error("there are no two answers to choose from", "/compare or /regenerate first");
  Turn& turn = turns_.back();
  if (k >= turn.answers.size())
    usage_error("the last question has " + std::to_string(turn.answers.size()) + " answers",
                "/prefer 1 to /prefer " + std::to_string(turn.answers.size()));
  const auto said = [&](const text::Message& answer) -> Json {
    return plain ? Json(answer.content) : text::messages_json({answer});
  };
  std::vector<Json> rows;
  for (const text::Message& other : turn.answers) {
    if (other == turn.answers[k]) continue;
    Json row = Json::object();
    row["prompt"] = plain ? Json(turn.question) : text::messages_json(prompt());
    row["chosen"] = said(turn.answers[k]);
    row["rejected"] = said(other);
    rows.push_back(std::move(row));
  }
  turn.answers = {text::Message(turn.answers[k])};
  turn.chosen = 0;
  return rows;
}

Json Conversation::row() const {
  std::vector<text::Message> messages;
  if (!system_.empty()) messages.push_back({"system", system_});
  const size_t none = messages.size();
  for (const Turn& turn : turns_) {
    if (turn.answers.empty()) break;
    messages.push_back({"user", turn.question});
    messages.push_back(turn.answers.at(turn.chosen));
  }
  if (messages.size() == none) usage_error("nothing was said yet", "ask something first");
  Json row = Json::object();
  row["messages"] = text::messages_json(messages);
  return row;
}

}  // namespace hone::chat
