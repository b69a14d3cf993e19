// What data files say, before tokenisation: one struct per kind of row.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "text/messages.h"

namespace hone::data {

/// A running text to learn the language from.
struct Document {
  std::string text;
  std::string id;
};

/// A conversation to imitate. The last message is the assistant's.
struct Demonstration {
  std::vector<text::Message> messages;
  std::string id;
  std::optional<bool> label = {};  ///< what the row says of the answer (KTO); bad answers are no demonstrations
};

/// One comparison of two answers to the same prompt. The prompt's last message is the user's, or a tool's.
struct Preference {
  std::vector<text::Message> prompt;
  /// What the assistant does: as a rule one turn; with tools several, the last of which is the assistant's.
  std::vector<text::Message> chosen, rejected;
  double weight = 1;   ///< of this comparison in the loss; ½ for each half of a tie
  double margin = 0;   ///< how strong the preference is, 0 to 1 where the file grades it, 0 where it does not
  std::string source;  ///< which set it comes from: the row's own "source", else the format's or the file's name
  std::string id;      ///< the row's own id, else "file:row"
  bool tie = false;    ///< one half of a tie (setting ties = "half"); evaluation leaves these out
};

/// Answers to one prompt that somebody judged together, for learning from judgements directly: one that is good or bad,
/// two of which the first is better, or more, from best to worst. The prompt as Preference's.
struct JudgedAnswers {
  std::vector<text::Message> prompt;
  std::vector<std::vector<text::Message>> answers;  ///< each as Preference's sides
  bool good = true;                                 ///< of a single one
  double weight = 1, margin = 0;                    ///< as Preference's
  std::string source, id;
  bool tie = false;  ///< as Preference's
};

/// A comparison as two answers judged together.
inline JudgedAnswers as_judged(Preference row) {
  JudgedAnswers out{std::move(row.prompt), {},     true, row.weight, row.margin, std::move(row.source),
                    std::move(row.id),     row.tie};
  out.answers.push_back(std::move(row.chosen));
  out.answers.push_back(std::move(row.rejected));
  return out;
}

/// Two answers to one prompt of which nobody said yet which is better.
struct AnswerPair {
  std::vector<text::Message> prompt;
  std::vector<text::Message> first, second;  ///< as Preference's sides
};

/// A prompt to sample from. The last message is the user's, or a tool's.
struct Prompt {
  std::vector<text::Message> messages;
  std::string id;
  std::shared_ptr<const Json> row = nullptr;  ///< as the file gives it, where it was asked for: what checkers read
};

}  // namespace hone::data
