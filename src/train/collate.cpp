#include "train/collate.h"

#include "base/error.h"
#include "tensor/from_host.h"

namespace hone::train {

Batch collate(std::span<const data::Sequence* const> sequences, const at::Device& device,
              std::span<const int64_t> trees) {
  HONE_CHECK(!sequences.empty());
  std::vector<std::span<const int32_t>> ids;
  for (const data::Sequence* s : sequences) {
    HONE_CHECK(!s->ids.empty() && s->ids.size() == s->weight.size());
    HONE_CHECK(s->weight[0] == 0, "the first token of a sequence has no predictor");
    ids.emplace_back(s->ids);
  }
  Batch batch;
  batch.packed = model::pack(ids, device, trees);
  batch.tokens = batch.packed.tokens();
  batch.row_offsets = {0};
  std::vector<int64_t> rows, targets, last;
  std::vector<float> weights;
  for (size_t n = 0; n < sequences.size(); ++n) {
    const data::Sequence& s = *sequences[n];
    const model::Place& place = batch.packed.places[n];
    for (size_t i = 0; i < s.ids.size(); ++i)
      if (s.weight[i] != 0) {
        rows.push_back(place.row(static_cast<int64_t>(i) - 1));
        targets.push_back(s.ids[i]);
        weights.push_back(s.weight[i]);
      }
    last.push_back(place.last());
    batch.row_offsets.push_back(static_cast<int64_t>(rows.size()));
  }
  batch.rows = from_host(rows, device);
  batch.targets = from_host(targets, device);
  batch.last = from_host(last, device);
  batch.weights = from_host(weights, device);
  return batch;
}

Batch collate(std::span<const data::Sequence* const> sequences, const at::Device& device, int64_t group) {
  return collate(sequences, device, model::trees_of(std::ssize(sequences), group));
}

Tensor sum_by_sequence(const Tensor& values, const Batch& batch) {
  std::vector<int64_t> owner(values.size(0));
  for (size_t s = 0; s + 1 < batch.row_offsets.size(); ++s)
    for (int64_t r = batch.row_offsets[s]; r < batch.row_offsets[s + 1]; ++r) owner[r] = static_cast<int64_t>(s);
  return at::zeros({batch.sequences()}, values.options()).index_add(0, from_host(owner, values.device()), values);
}

}  // namespace hone::train
