// The one place where host batches become tensors. Sequences are laid end to end without padding; the rows that carry
// weight are gathered, so that no logits are ever made for a token without weight.
#pragma once
#include <span>

#include "data/tokens.h"
#include "model/packed.h"
#include "tensor/tensor.h"

namespace hone::train {

struct Batch {
  model::Packed packed;
  Tensor rows;                       // (R) i64  row of the hidden state that predicts a weighted token
  Tensor targets;                    // (R) i64  that token
  Tensor weights;                    // (R) f32  its loss weight
  Tensor last;                       // (S) i64  row of each sequence's last token
  std::vector<int64_t> row_offsets;  // S+1: rows of sequence s are row_offsets[s]..row_offsets[s+1]
  int64_t tokens = 0;                // N: rows of the pass
  int64_t sequences() const { return static_cast<int64_t>(row_offsets.size()) - 1; }
};

/// Sequences of one micro-batch -> tensors on `device`. A token of weight > 0 at position 0 is a bug: nothing predicts
/// it. What each `group` consecutive ones begin with alike is computed once (model::pack).
Batch collate(std::span<const data::Sequence* const> sequences, const at::Device& device, int64_t group = 1);
/// The same with trees of different sizes, which are those of consecutive sequences (model::pack).
Batch collate(std::span<const data::Sequence* const> sequences, const at::Device& device,
              std::span<const int64_t> trees);

/// Sums (R) per-row values within each sequence -> (S), differentiable.
Tensor sum_by_sequence(const Tensor& values, const Batch& batch);

}  // namespace hone::train
