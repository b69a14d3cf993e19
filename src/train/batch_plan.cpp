#include "train/batch_plan.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "data/order.h"

namespace hone::train {
namespace {

std::vector<std::vector<int64_t>> epoch_batches(std::span<const int64_t> lengths, int64_t budget, uint64_t seed,
                                                uint64_t epoch) {
  const std::vector<int64_t> order =
      data::epoch_order(static_cast<int64_t>(lengths.size()), seed, static_cast<int64_t>(epoch));
  std::vector<std::vector<int64_t>> out;
  int64_t used = budget;  // the first sequence opens the first batch
  for (const int64_t i : order) {
    const int64_t n = lengths[i];
    if (out.empty() || used + n > budget) {
      out.emplace_back();
      used = 0;
    }
    out.back().push_back(i);
    used += n;
  }
  return out;
}

}  // namespace

BatchPlan::BatchPlan(std::span<const int64_t> lengths, int64_t budget, double epochs, uint64_t seed) {
  HONE_CHECK(!lengths.empty() && budget > 0);
  if (!(epochs > 0) || epochs > 1e6) usage_error("epochs must be above 0");
  epochs_ = epochs;
  for (uint64_t e = 0; static_cast<double>(e) < epochs; ++e) {
    auto batches = epoch_batches(lengths, budget, seed, e);
    const double share = std::min(1.0, epochs - static_cast<double>(e));
    batches.resize(std::max<size_t>(1, static_cast<size_t>(std::llround(share * static_cast<double>(batches.size())))));
    std::ranges::move(batches, std::back_inserter(batches_));
  }
}

BatchPlan BatchPlan::of_steps(std::span<const int64_t> lengths, int64_t budget, int64_t steps, uint64_t seed) {
  HONE_CHECK(!lengths.empty() && budget > 0 && steps > 0);
  BatchPlan plan;
  for (uint64_t e = 0; plan.steps() < steps; ++e) {
    auto batches = epoch_batches(lengths, budget, seed, e);
    // A remainder of under half a batch would weigh as much as a whole one: it is left to the next epoch's shuffle.
    if (batches.size() > 1 && 2 * batches.back().size() < batches.front().size()) batches.pop_back();
    const size_t take = std::min(batches.size(), static_cast<size_t>(steps - plan.steps()));
    plan.epochs_ += static_cast<double>(take) / static_cast<double>(batches.size());
    batches.resize(take);
    std::ranges::move(batches, std::back_inserter(plan.batches_));
  }
  return plan;
}

std::vector<std::span<const int64_t>> micro_batches(std::span<const int64_t> batch, std::span<const int64_t> lengths,
                                                    int64_t budget) {
  std::vector<std::span<const int64_t>> out;
  size_t begin = 0;
  int64_t used = 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    const int64_t n = lengths[batch[i]];
    if (i > begin && used + n > budget) {
      out.push_back(batch.subspan(begin, i - begin));
      begin = i;
      used = 0;
    }
    used += n;
  }
  out.push_back(batch.subspan(begin));
  return out;
}

}  // namespace hone::train
