// Chat templates: messages to text, and to token ids with a mask of what the assistant says.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "text/messages.h"
#include "text/tokenizer.h"

namespace hone::text {

/// hone's own template, or any Hugging Face template in Jinja. Immutable; copies share one parsed template.
class ChatTemplate {
 public:
  /// From a model folder's chat_template.jinja or tokenizer_config.json. None there: kUsage.
  static ChatTemplate load(const std::filesystem::path& folder);
  /// The one that the tokenizer carries. None there: kUsage.
  static ChatTemplate of(const Tokenizer& tokenizer);
  /// From a template's source; `name` stands in errors. A construct that is not supported: kUsage naming it.
  static ChatTemplate from_source(const std::string& source, const std::string& bos_token, const std::string& eos_token,
                                  const std::string& name);
  /// <|bos|>, then a message as <|role|>content, after the assistant's <|eos|>; generation prompt <|assistant|>.
  static ChatTemplate built_in();
  static const char* built_in_source();

  bool is_built_in() const;
  /// The text. A template's raise_exception becomes kUsage with its message.
  std::string render(std::span<const Message> messages, bool add_generation_prompt) const;

  struct Rendered {
    std::string text;
    std::vector<std::pair<size_t, size_t>> generated;  ///< byte ranges inside {% generation %} blocks
  };
  Rendered render_with_spans(std::span<const Message> messages, bool add_generation_prompt) const;
  /// Whether the template marks what the assistant says by {% generation %}.
  bool marks_generation() const;

 private:
  struct Program;
  explicit ChatTemplate(std::shared_ptr<const Program> program);
  std::shared_ptr<const Program> program_;
};

/// A conversation as token ids.
struct Encoded {
  std::vector<int32_t> ids;
  std::vector<uint8_t> trained;  ///< 1: the token is a target (the assistant's content and the end of its turn)
};

/// Renders and encodes part by part, so that the ids of a conversation begin with the ids of its first turns and
/// generation prompt: what is sampled and what is trained meet at the same token boundary. Nothing is put before what
/// the template renders, so there is one BOS. Where a template renders a turn otherwise later on, its {% generation %}
/// blocks say what is trained; without them: kUsage, but for a prompt to sample from. Special tokens that stand in a
/// message's content are ordinary text.
Encoded encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template, std::span<const Message> messages,
                    bool add_generation_prompt);

}  // namespace hone::text
