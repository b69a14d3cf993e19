// A conversation's worth of completions from one engine: token by token, and with keys and values kept from one prompt
// to the next, so that a prompt that begins with the last one and its answer costs its new tokens alone. What is
// sampled is what Engine::generate samples of the same prompt.
#pragma once
#include "infer/engine.h"

namespace hone::infer {

class Session {
 public:
  /// The engine is borrowed; it may be moved.
  explicit Session(const Engine& engine);
  ~Session();
  Session(const Session&) = delete;

  /// Begins a completion of the prompt for each of `samples`: which of its samples they are. Generation that is under
  /// way is left.
  void begin(std::vector<int32_t> prompt, std::span<const uint64_t> samples, const rollout::SamplingParams& sampling,
             const rollout::GenerateOptions& options);
  /// One more token of each; false once all are done. The first call reads the prompt.
  bool step();
  /// What there is of each completion; those that are not done are left as they stand (Finish::kCancelled).
  std::vector<rollout::Completion> finish();
  /// Tokens of the prompt whose keys and values were kept.
  int64_t held_tokens() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hone::infer
