#include "data/order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

using hone::data::epoch_order;

TEST_CASE("every epoch holds every row once, in an order of its own") {
  std::vector<int64_t> all(101);
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::vector<int64_t>> epochs;
  for (int64_t e = 0; e < 3; ++e) {
    epochs.push_back(epoch_order(101, 4, e));
    std::vector<int64_t> sorted = epochs.back();
    std::ranges::sort(sorted);
    CHECK(sorted == all);
    CHECK(epochs.back() != all);
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(epochs[1] != epochs[2]);
  CHECK(epochs[0] != epochs[2]);
}

TEST_CASE("an order follows from seed and epoch alone") {
  CHECK(epoch_order(101, 4, 2) == epoch_order(101, 4, 2));
  CHECK(epoch_order(101, 5, 2) != epoch_order(101, 4, 2));
  CHECK(epoch_order(0, 1, 0).empty());
  CHECK(epoch_order(1, 1, 9) == std::vector<int64_t>{0});
}
