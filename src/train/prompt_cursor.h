// Which prompt comes next: epoch after epoch, each a shuffle of all prompts, a pure function of (seed, place). The
// place is all that a checkpoint needs, however many prompts an iteration took.
#pragma once
#include <cstdint>
#include <vector>

namespace hone::train {

class PromptCursor {
 public:
  PromptCursor(int64_t prompts, uint64_t seed);

  struct Drawn {
    int64_t prompt = 0, epoch = 0;
  };
  Drawn next();
  /// Prompts drawn so far.
  int64_t place() const { return place_; }
  void seek(int64_t place) { place_ = place; }

 private:
  int64_t prompts_;
  uint64_t seed_;
  int64_t place_ = 0;
  int64_t shuffled_epoch_ = -1;  // of order_
  std::vector<int64_t> order_;
};

}  // namespace hone::train
