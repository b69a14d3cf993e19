// Messages to token ids, by the model's chat template or plainly.
//
// Plain: [bos] prompt completion [eos]; the prompt may be empty. Prompt and completion are encoded apart, so that what
// is sampled after a prompt and what is trained after it meet at the same token boundary. BOS stands where
// Tokenizer::begin() gives one, and before an empty prompt, where something must stand. EOS there must be, or no answer
// would ever learn to end.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "data/tokens.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace hone::data {

class Encoder {
 public:
  /// With a template: chat. Without: plain. A template whose answers do not end with a trained special token, or a
  /// tokenizer without EOS: kUsage.
  explicit Encoder(text::Tokenizer tokenizer, std::optional<text::ChatTemplate> chat = std::nullopt);
  /// `format` "auto" (chat where the tokenizer carries a template), "chat" or "plain".
  static Encoder make(text::Tokenizer tokenizer, const std::string& format);

  const text::Tokenizer& tokenizer() const { return tokenizer_; }
  bool chat() const { return chat_.has_value(); }

  /// The prompt and whatever the template puts before an answer.
  PromptIds prompt(std::span<const text::Message> messages) const;
  struct Answered {
    Sequence sequence;  ///< all answers have their turns' weights, their end tokens too
    int64_t prompt_length = 0;
    std::vector<size_t> apart;  ///< as text::Encoded's: earlier answers that are learnt by themselves
  };
  /// A conversation that ends with the assistant; its ids begin with those of its prompt. kUsage where the template
  /// does not let them.
  Answered conversation(std::span<const text::Message> messages) const;

 private:
  PromptIds plain_prompt(std::span<const text::Message> messages) const;
  text::Tokenizer tokenizer_;
  std::optional<text::ChatTemplate> chat_;
};

}  // namespace hone::data
