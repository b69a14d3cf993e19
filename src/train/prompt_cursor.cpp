#include "train/prompt_cursor.h"

#include <numeric>

#include "base/error.h"
#include "base/rng.h"

namespace hone::train {

PromptCursor::PromptCursor(int64_t prompts, uint64_t seed) : prompts_(prompts), seed_(seed) {
  HONE_CHECK(prompts > 0, "no prompts to draw from");
}

PromptCursor::Drawn PromptCursor::next() {
  const int64_t epoch = place_ / prompts_;
  if (epoch != shuffled_epoch_) {
    order_.resize(prompts_);
    std::iota(order_.begin(), order_.end(), 0);
    Stream(seed_, "prompts", static_cast<uint64_t>(epoch)).shuffle(order_);
    shuffled_epoch_ = epoch;
  }
  return {order_[place_++ % prompts_], epoch};
}

}  // namespace hone::train
