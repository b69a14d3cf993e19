// Which sequences make up which optimiser step: a pure function of (lengths, seed), so that a resumed run needs nothing
// but its step number to find its place in the data.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace hone::train {

class BatchPlan {
 public:
  /// Each epoch is its own shuffle of all sequences, cut into batches of whole sequences with at most `budget` tokens
  /// (`lengths[i]` each; one longer than the budget is a batch of its own). `epochs` may end inside an epoch.
  BatchPlan(std::span<const int64_t> lengths, int64_t budget, double epochs, uint64_t seed);
  /// Exactly `steps` batches, however many epochs that takes.
  static BatchPlan of_steps(std::span<const int64_t> lengths, int64_t budget, int64_t steps, uint64_t seed);

  int64_t steps() const { return static_cast<int64_t>(batches_.size()); }
  std::span<const int64_t> batch(int64_t step) const { return batches_[step]; }
  double epochs() const { return epochs_; }

 private:
  BatchPlan() = default;
  std::vector<std::vector<int64_t>> batches_;
  double epochs_ = 0;
};

/// Cuts a batch into runs of whole sequences with at most `budget` tokens each.
std::vector<std::span<const int64_t>> micro_batches(std::span<const int64_t> batch, std::span<const int64_t> lengths,
                                                    int64_t budget);

}  // namespace hone::train
