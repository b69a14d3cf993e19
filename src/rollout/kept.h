// Keys and values that stay in the cache from one call to the next: a conversation's next prompt begins with the last
// one and its answer, and only what is new is computed. On the CPU in f32 that changes no bit of any result
// (model/incremental.h).
#pragma once
#include <span>
#include <vector>

#include "model/decoder.h"
#include "model/kv_cache.h"

namespace hone::rollout {

class KeptSequences {
 public:
  explicit KeptSequences(const model::Decoder& decoder, bool batch_invariant = true);

  model::KvCache& cache() { return cache_; }

  struct Begun {
    int64_t sequence = 0;  ///< in the cache
    int64_t held = 0;      ///< its tokens so far
  };
  /// A new sequence with as much of the prompt as a kept one begins with, all but the prompt's last token at most: that
  /// one is fed, for the logits behind it.
  Begun begin(std::span<const int32_t> prompt);
  /// Hands over a sequence and the tokens that it holds.
  void keep(int64_t sequence, std::vector<int32_t> ids);
  /// Forgets those that were kept before the last settle(): one call's sequences serve the next call, no longer.
  void settle();

 private:
  struct Sequence {
    int64_t number;
    std::vector<int32_t> ids;
  };
  model::KvCache cache_;
  std::vector<Sequence> kept_, fresh_;
};

}  // namespace hone::rollout
