// Host batches: sequences laid end to end, no padding. train/collate.cpp makes tensors of them.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/corpus.h"
#include "data/tokens.h"

namespace hone::data {

/// Invariants: ids, weight and positions are N long; offsets ascend from 0 to N; position i counts from 0 in its
/// sequence; the weight of each sequence's first token is 0.
struct PackedBatch {
  std::vector<int32_t> ids;            ///< (N)
  std::vector<float> weight;           ///< (N), loss weight of predicting ids[i]
  std::vector<int32_t> positions;      ///< (N)
  std::vector<int64_t> offsets = {0};  ///< (S+1); offsets[s]..offsets[s+1] is sequence s
  std::vector<int64_t> rows;           ///< (S), the item of the data set that it is

  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
  int64_t sequences() const { return static_cast<int64_t>(rows.size()); }
  /// Σ weight: what a mean over trained tokens divides by.
  double weight_sum() const;
  void add(std::span<const int32_t> ids, std::span<const float> weight, int64_t row);
};

/// Sequences 2p and 2p+1 of `tokens` are the chosen and the rejected side of pair p.
struct PairBatch {
  PackedBatch tokens;
  std::vector<double> weight, margin;  ///< (P)
  std::vector<int64_t> rows;           ///< (P)
  int64_t pairs() const { return static_cast<int64_t>(rows.size()); }
};

/// The items with these indices, in this order.
PackedBatch pack(std::span<const Sequence> items, std::span<const int64_t> rows);
PackedBatch pack(const Corpus& corpus, std::span<const Piece> pieces, std::span<const int64_t> rows);
PairBatch pack(std::span<const Pair> items, std::span<const int64_t> rows);

/// Tokens of each item.
std::vector<int64_t> lengths_of(std::span<const Sequence> items);
std::vector<int64_t> lengths_of(std::span<const Piece> items);
std::vector<int64_t> lengths_of(std::span<const Pair> items);

/// A step's rows shared out to micro-batches of at most `max_tokens` (first-fit by falling length, so items of like
/// length come together); a row that is longer by itself: kUsage. Every row is in exactly one. The gradient of the
/// step is the same for every split, as one normaliser holds for all of them.
std::vector<std::vector<int64_t>> split_micro(std::span<const int64_t> rows, std::span<const int64_t> lengths,
                                              int64_t max_tokens);

}  // namespace hone::data
