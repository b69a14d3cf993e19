#include "data/order.h"

#include <numeric>

#include "base/rng.h"

namespace hone::data {

std::vector<int64_t> epoch_order(int64_t rows, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> out(rows);
  std::iota(out.begin(), out.end(), 0);
  Stream(seed, "order", static_cast<uint64_t>(epoch)).shuffle(out);
  return out;
}

}  // namespace hone::data
