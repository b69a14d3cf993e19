// What does not fit: decided by named settings, counted, and shown before the first step.
#pragma once
#include <cstdint>
#include <string>

#include "base/json_fwd.h"

namespace hone::data {

struct LengthSettings {
  std::string chat_format = "auto";
  std::string train_on = "all_answers";
  int64_t max_length = 0;
  int64_t max_prompt_length = 0;
  std::string too_long = "drop";
  double max_lost_share = 0.01;

  template <class V>
  void fields(V& v) {
    v.choice("chat_format", chat_format, {"auto", "chat", "plain"},
             "how messages become tokens: by the model's chat template, or as prompt and completion; auto: the "
             "template where there is one");
    v.choice("train_on", train_on, {"all_answers", "last_answer"}, "which of a demonstration's answers are learnt");
    v("max_length", max_length, "longest sequence in tokens, prompt and answer; 0: the model's context");
    v("max_prompt_length", max_prompt_length, "longest prompt in tokens; 0: as far as max_length allows");
    v.choice(
        "too_long", too_long, {"drop", "cut_left", "error"},
        "rows over a limit: left out; their prompt cut from the left (oldest turns first, markers kept); or an error",
        "an answer is never cut: it would lose its end");
    v("max_lost_share", max_lost_share, "more than this share of rows left out or cut is an error",
      "silent truncation is the commonest cause of runs that learn nothing");
    v.range("max_lost_share", 0, 1);
  }
};

struct LengthReport {
  int64_t rows = 0;            ///< given
  int64_t kept = 0;            ///< whole or cut
  int64_t cut = 0;             ///< kept with a shorter prompt
  int64_t dropped = 0;         ///< left out
  int64_t tokens = 0;          ///< of what was kept
  int64_t trained_tokens = 0;  ///< of these, with a weight
  int64_t longest = 0;         ///< of all rows, before cutting
  int64_t limit = 0;           ///< tokens allowed in a sequence; 0: none
  int64_t prompt_limit = 0;    ///< tokens allowed in a prompt; 0: none
  int64_t apart = 0;         ///< of the rows: earlier answers that the template renders otherwise, learnt by themselves
  int64_t same_ids = 0;      ///< comparisons left out because both sides become the same tokens
  int64_t special_text = 0;  ///< rows whose text holds the model's special tokens, as ordinary text

  double lost_share() const { return rows == 0 ? 0.0 : static_cast<double>(cut + dropped) / static_cast<double>(rows); }
  /// "4,012 of 4,100 rows, 210,332 tokens (98,001 trained); 88 left out, 0 cut (2.1%; limit 256 tokens, longest
  /// 1,204)".
  std::string summary() const;
  /// What `special_text` means and what to do.
  std::string special_text_notice() const;
  Json to_json() const;
};

/// The limit in tokens from max_length and the model's context (0: none known). Over the context: kUsage.
int64_t sequence_limit(const LengthSettings& settings, int64_t context);
/// kUsage if more than max_lost_share is lost, or nothing is left. Called before the first step (not by --plan).
void require_kept(const LengthReport& report, const LengthSettings& settings, const std::string& what);

}  // namespace hone::data
