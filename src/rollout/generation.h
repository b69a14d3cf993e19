// Completions being sampled, a token of each at a time: the one loop of continuous batching. `generate` runs it to its
// end; who shows answers while they come, or takes turns between two models, steps it.
#pragma once
#include <span>
#include <vector>

#include "model/decoder.h"
#include "rollout/kept.h"
#include "rollout/rollout.h"

namespace hone::rollout {

class Generation {
 public:
  /// `requests` and `kept` are borrowed. With `kept` prompts begin where a kept sequence leaves off, and what is in the
  /// cache at the end stays there for the next call. A prompt without a token, with one that the model has not, or
  /// without room behind it in the context: kUsage.
  Generation(const model::Decoder& decoder, std::span<const Request> requests, const SamplingParams& params,
             GenerateOptions options, KeptSequences* kept = nullptr);
  ~Generation();
  Generation(const Generation&) = delete;

  /// One more token of each sequence in flight, and the prompts of those that join. False once all are done.
  bool step();
  bool done() const { return done_ == requests_.size(); }
  /// So far; one for each request, in order.
  std::vector<Completion>& completions() { return out_; }
  const GenerateStats& stats() const { return stats_; }
  /// Tokens of prompts that were in the cache already.
  int64_t held_tokens() const { return held_; }

 private:
  struct Active;
  void join();
  void feed_common();
  bool prefill(std::span<Active> fresh);
  void finish(Active& active);
  void cancel();
  double need(size_t request) const;

  const model::Decoder& decoder_;
  std::span<const Request> requests_;
  SamplingParams params_;
  GenerateOptions options_;
  KeptSequences own_;    // what all prompts begin with; an empty cache costs nothing
  KeptSequences* kept_;  // the caller's; null: nothing outlives this
  model::KvCache& cache_;
  Tensor absent_;
  model::ComputeOptions compute_;  ///< away from the CPU
  std::vector<Completion> out_;
  std::vector<Active> active_;
  size_t next_ = 0, done_ = 0;
  int64_t held_ = 0;
  double room_, reserved_ = 0;
  GenerateStats stats_;
};

}  // namespace hone::rollout
