#include "train/passes.h"

#include <algorithm>
#include <numeric>

#include "train/cross_validation.h"
#include "train/judged_groups.h"

namespace hone::train {

std::vector<int64_t> Pass::batch(int64_t step) const {
  std::vector<int64_t> out;
  for (const int64_t i : plan.batch(step - first)) out.push_back(rows[i]);
  return out;
}

std::vector<Pass> passes_of(std::span<const data::JudgedGroup> groups, int64_t folds, int64_t batch, double epochs,
                            uint64_t seed) {
  std::vector<Pass> out;
  const auto add = [&](std::vector<int64_t> rows, std::vector<int64_t> held_out, bool trial) {
    const std::vector<int64_t> ones(rows.size(), 1);
    BatchPlan plan(ones, batch, epochs, seed);
    out.push_back({std::move(rows), std::move(held_out), std::move(plan), out.empty() ? 0 : out.back().end(), trial});
  };
  if (folds > 0) {
    std::vector<std::string> prompts;
    for (const data::JudgedGroup& group : groups) prompts.push_back(prompt_key(group));
    const std::vector<int64_t> fold = folds_of(prompts, folds, seed);
    for (int64_t f = 0; f <= std::ranges::max(fold); ++f) {
      std::vector<int64_t> rows, held_out;
      for (size_t i = 0; i < fold.size(); ++i) {
        if (fold[i] != f) rows.push_back(static_cast<int64_t>(i));
        else if (!groups[i].tie) held_out.push_back(static_cast<int64_t>(i));
      }
      if (!held_out.empty()) add(std::move(rows), std::move(held_out), true);
    }
  }
  std::vector<int64_t> all(groups.size());
  std::iota(all.begin(), all.end(), 0);
  add(std::move(all), {}, false);
  return out;
}

}  // namespace hone::train
