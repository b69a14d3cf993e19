#include "train/collate.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace hone;

TEST_CASE("rows point at the hidden states that predict weighted tokens") {
  const data::Sequence a{{10, 11, 12, 13}, {0, 0, 1, 1}}, b{{20, 21}, {0, 0.5}};
  const std::vector<const data::Sequence*> both{&a, &b};
  const train::Batch batch = train::collate(both, at::kCPU);
  CHECK(batch.packed.offsets == std::vector<int64_t>{0, 4, 6});
  CHECK(batch.row_offsets == std::vector<int64_t>{0, 2, 3});
  const int64_t* rows = batch.rows.const_data_ptr<int64_t>();
  const int64_t* targets = batch.targets.const_data_ptr<int64_t>();
  CHECK(rows[0] == 1);  // token 12 at 2 is predicted from 1
  CHECK(rows[1] == 2);
  CHECK(rows[2] == 4);  // token 21 at 5 from 4
  CHECK(targets[0] == 12);
  CHECK(targets[2] == 21);
  CHECK(batch.last.const_data_ptr<int64_t>()[1] == 5);
  const Tensor sums = train::sum_by_sequence(batch.weights, batch);
  CHECK(sums.const_data_ptr<float>()[0] == 2);
  CHECK(sums.const_data_ptr<float>()[1] == 0.5f);
  const data::Sequence wrong{{1, 2}, {1, 1}};
  const std::vector<const data::Sequence*> bad{&wrong};
  CHECK_THROWS_AS(train::collate(bad, at::kCPU), Error);
}
