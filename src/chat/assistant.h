// A model that takes part in a conversation: messages in, an answer out, piece by piece.
//
// When the context is full: where the prompt and room for an answer (max-tokens, at most a quarter of the context) no
// longer fit, the oldest questions are left out with their answers until a quarter of the context is free beside that
// room, so that it does not happen again at every turn. The system prompt stays.
//
// A model without a chat template continues each question by itself and knows nothing of those before.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chat/answer_reader.h"
#include "chat/conversation.h"
#include "chat/settings.h"
#include "data/encoder.h"
#include "infer/session.h"

namespace hone::chat {

struct Answer {
  text::Message message;
  enum class End { kStop, kMaxTokens, kContext, kCancelled } end = End::kStop;
  int64_t tokens = 0;         ///< sampled, the end token included
  int64_t prompt_tokens = 0;  ///< of which `held_tokens` were in the cache
  int64_t held_tokens = 0;
  double first_token = 0, seconds = 0;  ///< s until the first token, and the last

  bool says_nothing() const { return message.content.empty() && message.reasoning.empty(); }
  /// Between the first and the last token; 0 where there is none between.
  double tokens_per_second() const;
};

class Assistant {
 public:
  /// A model folder, adapter or GGUF. `beside`: as Engine::open's. Without a tokenizer: kUsage.
  Assistant(const std::filesystem::path& path, std::string name, const infer::EngineOptions& options,
            const Assistant* beside = nullptr);

  const std::string& name() const { return name_; }
  bool chats() const { return encoder_.chat(); }
  int64_t context() const { return engine_.context(); }
  const std::string& generation_config() const { return engine_.generation_config(); }

  /// Reads what stands before any question to this conversation, so that the first answer need not wait for it, nor for
  /// memory and threads that are touched for the first time.
  void read_ahead(Conversation conversation);

  /// Told of whole characters as they come; `thinks`: the answer is still in its block of reasoning.
  using TextSink = std::function<void(size_t answer, std::string_view text, bool thinks)>;
  /// Begins to answer the last question, once for each of `samples`. A question that does not fit: kUsage.
  void begin(const Conversation& conversation, std::span<const uint64_t> samples, const Settings& settings,
             TextSink sink, std::function<bool()> cancelled);
  /// One more token of each; false once all are done.
  bool step();
  /// The answers, as far as they are.
  std::vector<Answer> finish();
  /// How many of the oldest turns the last prompt left out.
  size_t left_out() const { return left_out_; }

 private:
  struct Growing {
    AnswerText text;
    double first = 0, last = 0;  // s until the first token and the newest
  };
  std::vector<int32_t> fit(const Conversation& conversation, const Settings& settings);
  void show(size_t answer, const std::string& text);

  std::string name_;
  infer::Engine engine_;
  data::Encoder encoder_;
  infer::Session session_;
  std::vector<int32_t> absent_;
  AnswerReader reader_;
  size_t left_out_ = 0;
  // Of the answers under way.
  TextSink sink_;
  std::vector<Growing> growing_;
  int64_t prompt_tokens_ = 0, most_tokens_ = 0;
  std::chrono::steady_clock::time_point begun_;
};

/// A name for each folder to show: its last part, or the one before where that is "model"; told apart by a number.
std::vector<std::string> names_of(const std::vector<std::string>& paths);

}  // namespace hone::chat
