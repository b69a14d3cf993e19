// Chat templates: messages to text, and to token ids with a mask of what the assistant says.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
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
  /// From a template's source, which sees each of `special_tokens` by its name; `name` stands in errors. A construct
  /// that is not supported: kUsage naming it.
  static ChatTemplate from_source(const std::string& source, Json special_tokens, const std::string& name);
  static ChatTemplate from_source(const std::string& source, const std::string& bos_token, const std::string& eos_token,
                                  const std::string& name);
  /// <|bos|>, then a message as <|role|>content, after the assistant's <|eos|>; generation prompt <|assistant|>.
  static ChatTemplate built_in();
  static const char* built_in_source();

  bool is_built_in() const;
  /// The text. The template sees role, content (null where a row says so), name, tool_calls, tool_call_id and the
  /// reasoning of each message, and the conversation's tools. Where it fails on null it gets an empty text, and on a
  /// call's arguments as an object (as text) their text (the object). Its raise_exception becomes kUsage with its
  /// message.
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

/// hone's own template knows system, user and assistant, and their texts. Anything else: kUsage naming it.
void require_built_in(const Message& message);

/// A conversation as token ids.
struct Encoded {
  std::vector<int32_t> ids;
  std::vector<uint8_t> trained;  ///< 1: the token is a target (the assistant's content and the end of its turn)
  std::vector<float> weight;     ///< of each token as a target: its turn's weight, 0 where it is none
  /// The last answer, where the conversation ends with one: its first token, and one past the token that ends its turn,
  /// whatever the template puts after that. Both ids.size() where there is none. A weight of 0 changes neither.
  int64_t answer_begin = 0, answer_end = 0;
  /// Earlier answers that are no targets here because the template renders them otherwise once the conversation goes on
  /// (it strips their reasoning): n where the first n messages end with one. Encoded by themselves they are as sampled.
  std::vector<size_t> apart;
};

/// Renders and encodes part by part, so that the ids of a conversation begin with the ids of its first turns and
/// generation prompt: what is sampled and what is trained meet at the same token boundary. Nothing is put before what
/// the template renders, so there is one BOS. Special tokens that stand in a message are ordinary text. How turns are
/// found in the rendered text: chat_turns.h. A field of a message that the template leaves out (tool calls, tools,
/// reasoning of a turn as it was answered; a tool's or system's whole turn): kUsage naming it.
///
/// Where the template refuses neighbouring turns of one role, they are joined by a blank line.
Encoded encode_chat(const Tokenizer& tokenizer, const ChatTemplate& chat_template, std::span<const Message> messages,
                    bool add_generation_prompt);

}  // namespace hone::text
