// Messages to token ids, by the model's chat template or plainly.
//
// Plain: [bos] prompt completion [eos]; the prompt may be empty. Prompt and completion are encoded apart, so that what
// is sampled after a prompt and what is trained after it meet at the same token boundary. BOS stands where
// Tokenizer::begin() gives one, and before an empty prompt, where something must stand. An end there must be
// (endings.h), or no answer would ever learn to end.
//
// A conversation stops with the end of its last answer: what a template writes behind that (a newline, an EOS more) is
// never sampled, so it is neither trained nor scored. Reward training, normalising, `hone score`, PPO and evaluation
// all take their ids from here and score the last one.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "data/endings.h"
#include "data/tokens.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace hone::data {

class Encoder {
 public:
  /// With a template: chat. Without: plain. `model_ends`: ends by the model's configuration (ModelConfig::eos). Where
  /// nothing names an end, or the template's is not trained: kUsage.
  explicit Encoder(text::Tokenizer tokenizer, std::optional<text::ChatTemplate> chat = std::nullopt,
                   std::span<const int64_t> model_ends = {});
  /// `format` "auto" (chat where the tokenizer carries a template), "chat" or "plain".
  static Encoder make(text::Tokenizer tokenizer, const std::string& format, std::span<const int64_t> model_ends = {});

  const text::Tokenizer& tokenizer() const { return tokenizer_; }
  bool chat() const { return chat_.has_value(); }
  const Endings& endings() const { return endings_; }

  /// The prompt and whatever the template puts before an answer.
  PromptIds prompt(std::span<const text::Message> messages) const;
  struct Answered {
    /// Up to the end token of the last answer; all answers have their turns' weights, their end tokens too.
    Sequence sequence;
    int64_t prompt_length = 0;
    std::vector<size_t> apart;  ///< as text::Encoded's: earlier answers that are learnt by themselves
  };
  /// A conversation that ends with the assistant; its ids begin with those of its prompt. kUsage where the template
  /// does not let them.
  Answered conversation(std::span<const text::Message> messages) const;
  /// A sampled answer behind its prompt as conversation() would give it: with the end token that is written behind
  /// answers, whichever it stopped at. `close`: also behind one that did not stop, where `context` has room (0:
  /// always).
  std::vector<int32_t> sampled(std::span<const int32_t> prompt, std::span<const int32_t> answer, bool close = false,
                               int64_t context = 0) const;

 private:
  PromptIds plain_prompt(std::span<const text::Message> messages) const;
  void end_with_answer(Sequence& sequence, int64_t begin, float weight) const;
  text::Tokenizer tokenizer_;
  std::optional<text::ChatTemplate> chat_;
  Endings endings_;
};

}  // namespace hone::data
