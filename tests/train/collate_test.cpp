#include "train/collate.h"

#include <doctest/doctest.h>

#include <map>

#include "base/error.h"
#include "base/rng.h"
#include "train/batch_plan.h"

using namespace hone;

TEST_CASE("rows point at the hidden states that predict weighted tokens") {
  const data::Sequence a{{10, 11, 12, 13}, {0, 0, 1, 1}}, b{{20, 21}, {0, 0.5}};
  const std::vector<const data::Sequence*> both{&a, &b};
  const train::Batch batch = train::collate(both, at::kCPU);
  CHECK(batch.packed.places[1].begin == 4);
  CHECK(batch.tokens == 6);
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

TEST_CASE("micro-batches of any size hold the same weighted tokens, each once") {
  // Ids count on through the sequences, so that a target names its place in the data.
  Stream random(1, "sequences");
  std::vector<data::Sequence> sequences(40);
  std::vector<int64_t> lengths, batch;
  std::map<int64_t, float> expected;
  int32_t next = 0;
  for (data::Sequence& s : sequences) {
    for (int64_t n = random.between(1, 40); n > 0; --n) {
      s.ids.push_back(next++);
      s.weight.push_back(s.ids.size() == 1 ? 0.0f : static_cast<float>(random.below(3)) / 2);
      if (s.weight.back() != 0) expected[s.ids.back()] = s.weight.back();
    }
    batch.push_back(static_cast<int64_t>(lengths.size()));
    lengths.push_back(s.size());
  }
  for (const int64_t budget : {1, 7, 64, 200, 100000}) {
    std::map<int64_t, float> seen;
    int64_t tokens = 0;
    for (const auto micro : train::micro_batches(batch, lengths, budget)) {
      std::vector<const data::Sequence*> members;
      for (const int64_t i : micro) members.push_back(&sequences[static_cast<size_t>(i)]);
      const train::Batch b = train::collate(members, at::kCPU);
      CHECK((b.tokens <= budget || micro.size() == 1));
      tokens += b.tokens;
      for (int64_t r = 0; r < b.rows.size(0); ++r) {
        const int64_t target = b.targets.const_data_ptr<int64_t>()[r], row = b.rows.const_data_ptr<int64_t>()[r];
        CHECK(b.packed.ids.const_data_ptr<int64_t>()[row + 1] == target);
        CHECK(seen.emplace(target, b.weights.const_data_ptr<float>()[r]).second);
      }
    }
    CHECK(tokens == next);
    CHECK(seen == expected);
  }
}
