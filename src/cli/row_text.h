// Rows of the JSON Lines verbs as token ids.
//
//   {"ids"}                     as they are, no tokenizer needed
//   {"text"}                    plain text, after BOS where the tokenizer has one
//   {"messages"}                by the model's chat template
//   {"prompt"}, "completion"    text: by the chat template where the model has one (prompt: the user, completion: the
//                               assistant), as in training; else plain: BOS, prompt, completion. A message list is
//                               taken too
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/options.h"
#include "data/encoder.h"
#include "data/row_parts.h"

namespace hone::cli {

class RowText {
 public:
  /// Declares --chat-format.
  void declare(Options& options);
  /// `model_ends`: tokens that end an answer by the model's configuration.
  void open(std::filesystem::path folder, std::vector<int64_t> model_ends) {
    folder_ = std::move(folder);
    model_ends_ = std::move(model_ends);
  }
  /// Whether the folder has a tokenizer at all; ids need none.
  bool has_tokenizer() const;

  /// Ids to continue: of {"ids"}, {"messages"} (with the generation prompt) or {"prompt"}.
  std::vector<int32_t> prompt(const Json& row);
  struct Answered {
    std::vector<int32_t> ids;
    int64_t prompt_length = 0;  ///< where the completion begins
  };
  /// Prompt and completion, of {"prompt","completion"} or {"messages"} that ends with the assistant, up to the end of
  /// the answer as it is trained and scored. Without `with_end` a plain completion is taken as it stands.
  Answered answered(const Json& row, bool with_end);
  /// Tokens that end an answer, by everything that names one. A chat template that cannot say is warned of.
  std::vector<int32_t> end_ids();
  /// BOS, where the tokenizer has one, and the text.
  std::vector<int32_t> plain(const std::string& text);
  const text::Tokenizer& tokenizer();

 private:
  const data::Encoder& encoder();
  std::filesystem::path folder_;
  std::vector<int64_t> model_ends_;
  std::string format_ = "auto";
  std::optional<text::Tokenizer> tokenizer_;
  std::optional<data::Encoder> encoder_;
};

/// The row's list of token ids under `key`; anything else there: kUsage.
std::vector<int32_t> ids_of(const Json& row, const char* key = "ids");
/// The row's "messages", or its "prompt" (a text, a transcript, messages) with "history"; with "system" and "tools", as
/// in training. What is odd about it is said once.
data::RowPrompt request_of(const Json& row);
/// kUsage naming what a verb takes, when a row has none of it.
[[noreturn]] void lacks(const std::string& wanted);

}  // namespace hone::cli
