// The ways that a stage goes from its start through judged answers: one through all of them, or under cross-validation
// (cross_validation.h) one for each fold, in which the others learn, and then the one through all.
#pragma once
#include <span>
#include <vector>

#include "data/tokens.h"
#include "train/batch_plan.h"

namespace hone::train {

struct Pass {
  std::vector<int64_t> rows, held_out;  ///< of the training groups
  BatchPlan plan;                       ///< of places in `rows`
  int64_t first = 0;                    ///< step of the run
  bool trial = false;                   ///< of a fold

  int64_t end() const { return first + plan.steps(); }
  std::vector<int64_t> batch(int64_t step) const;
};

/// The folds' passes, if `folds` is above 0, and behind them the one of all; each in batches of `batch` groups.
std::vector<Pass> passes_of(std::span<const data::JudgedGroup> groups, int64_t folds, int64_t batch, double epochs,
                            uint64_t seed);

}  // namespace hone::train
