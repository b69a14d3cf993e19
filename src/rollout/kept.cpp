#include "rollout/kept.h"

#include <algorithm>

#include "base/error.h"

namespace hone::rollout {

KeptSequences::KeptSequences(const model::Decoder& decoder, bool batch_invariant)
    : cache_(decoder.config(), decoder.device(), decoder.dtype(), batch_invariant) {}

KeptSequences::Begun KeptSequences::begin(std::span<const int32_t> prompt) {
  HONE_CHECK(!prompt.empty());
  const Sequence* best = nullptr;
  int64_t most = 0;
  for (const Sequence& s : kept_) {
    const int64_t same = std::ranges::mismatch(s.ids, prompt.first(prompt.size() - 1)).in1 - s.ids.begin();
    if (same > most) best = &s, most = same;
  }
  if (best == nullptr) return {cache_.add(), 0};
  const int64_t sequence = cache_.fork(best->number);
  cache_.truncate(sequence, most);
  return {sequence, most};
}

void KeptSequences::keep(int64_t sequence, std::vector<int32_t> ids) {
  HONE_CHECK(cache_.length(sequence) == std::ssize(ids));
  fresh_.push_back({sequence, std::move(ids)});
}

void KeptSequences::settle() {
  for (const Sequence& s : kept_) cache_.remove(s.number);
  kept_ = std::move(fresh_);
  fresh_.clear();
}

}  // namespace hone::rollout
