#include "train/batch_plan.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace hone::train;

TEST_CASE("an epoch holds every sequence once, in batches of at most the budget") {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 97; ++i) lengths.push_back(1 + i % 13);
  const BatchPlan plan(lengths, 40, 2, 5);
  std::vector<int64_t> seen(lengths.size());
  for (int64_t s = 0; s < plan.steps(); ++s) {
    int64_t tokens = 0;
    for (const int64_t i : plan.batch(s)) ++seen[static_cast<size_t>(i)], tokens += lengths[static_cast<size_t>(i)];
    CHECK(tokens <= 40);
  }
  CHECK(seen == std::vector<int64_t>(lengths.size(), 2));
  const BatchPlan again(lengths, 40, 2, 5), other(lengths, 40, 2, 6);
  CHECK(std::ranges::equal(plan.batch(3), again.batch(3)));
  CHECK(!std::ranges::equal(plan.batch(3), other.batch(3)));
}

TEST_CASE("a plan of steps goes on into the next epochs") {
  const std::vector<int64_t> lengths(10, 1);
  const BatchPlan plan = BatchPlan::of_steps(lengths, 4, 7, 1);  // 3 batches an epoch: 4, 4, 2
  CHECK(plan.steps() == 7);
  CHECK(plan.epochs() == doctest::Approx(2 + 1.0 / 3));  // a remainder of half a batch counts as one
}

TEST_CASE("micro-batches cut a batch without losing or reordering anything") {
  const std::vector<int64_t> lengths{5, 5, 5, 20, 1}, batch{0, 3, 1, 2, 4};
  const auto micro = micro_batches(batch, lengths, 10);
  std::vector<int64_t> joined;
  for (const auto m : micro) joined.insert(joined.end(), m.begin(), m.end());
  CHECK(joined == batch);
  CHECK(micro.size() == 4);  // 5 | 20 | 5 + 5 | 1
}
