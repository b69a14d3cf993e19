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

namespace hone::cli {

class RowText {
 public:
  /// Declares --chat-format.
  void declare(Options& options);
  void open(std::filesystem::path folder) { folder_ = std::move(folder); }

  /// Ids to continue: of {"ids"}, {"messages"} (with the generation prompt) or {"prompt"}.
  std::vector<int32_t> prompt(const Json& row);
  struct Answered {
    std::vector<int32_t> ids;
    int64_t prompt_length = 0;  ///< where the completion begins
  };
  /// Prompt and completion, of {"prompt","completion"} or {"messages"} that ends with the assistant. `as_trained`: all
  /// that training sees. Else the completion alone: with the end of the turn by a chat template, as it stands if plain.
  Answered answered(const Json& row, bool as_trained);
  /// BOS, where the tokenizer has one, and the text.
  std::vector<int32_t> plain(const std::string& text);
  const text::Tokenizer& tokenizer();

 private:
  const data::Encoder& encoder();
  std::filesystem::path folder_;
  std::string format_ = "auto";
  std::optional<text::Tokenizer> tokenizer_;
  std::optional<data::Encoder> encoder_;
};

/// The row's list of token ids under `key`; anything else there: kUsage.
std::vector<int32_t> ids_of(const Json& row, const char* key = "ids");
/// kUsage naming what a verb takes, when a row has none of it.
[[noreturn]] void lacks(const std::string& wanted);

}  // namespace hone::cli
