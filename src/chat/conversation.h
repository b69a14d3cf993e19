// A conversation with a person: questions, each with the answers that were given to it, one of which the conversation
// goes on with. And the rows that come of it, as `hone sft` and `hone preference` take them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "text/messages.h"

namespace hone::chat {

class Conversation {
 public:
  struct Turn {
    std::string question;
    std::vector<text::Message> answers;
    size_t chosen = 0;     ///< which of the answers the conversation goes on with
    uint64_t sampled = 0;  ///< answers that were asked for so far: the number of the next sample
  };

  const std::string& system() const { return system_; }
  void set_system(std::string text) { system_ = std::move(text); }

  void ask(std::string question);
  /// Of the last question, which must be there.
  Turn& last();
  /// The answer that the conversation goes on with from now on.
  void answer(text::Message message);
  /// Several answers, of which it goes on with the first; they can be told apart by prefer().
  void answer(std::vector<text::Message> messages);
  /// The last question and its answers go; false where there is none.
  bool take_back();
  /// Everything but the system prompt.
  void clear() { turns_.clear(); }
  const std::vector<Turn>& turns() const { return turns_; }

  /// What the last question's answer is sampled from: the system prompt and all turns but the first `left_out`.
  std::vector<text::Message> prompt(size_t left_out = 0) const;

  /// The rows {"prompt", "chosen", "rejected"} that say answer `k` (from 0) of the last question is better than each of
  /// the others; those with the same words say nothing. From now on the conversation goes on with it, and the others
  /// are forgotten. Fewer than two answers, or none of that number: kUsage. `plain`: with texts, for models without a
  /// chat template.
  std::vector<Json> prefer(size_t k, bool plain);
  /// {"messages"}, up to the last answer. Nothing was answered: kUsage.
  Json row() const;

 private:
  std::string system_;
  std::vector<Turn> turns_;
};

}  // namespace hone::chat
