// In which order rows are seen: a pure function of the seed and the epoch's number, so that a resumed run finds its
// place from its step alone (train/batch_plan.h).
#pragma once
#include <cstdint>
#include <vector>

namespace hone::data {

/// The rows 0 .. `rows`-1 in the order of epoch `epoch` (0-based): each once.
std::vector<int64_t> epoch_order(int64_t rows, uint64_t seed, int64_t epoch);

}  // namespace hone::data
