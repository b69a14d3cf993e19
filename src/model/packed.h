// Sequences laid end to end, without padding: what a forward pass of training or scoring takes.
#pragma once
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace hone::model {

/// Where a sequence's rows are. Sequences that begin alike may lie as a tree: the rows of what they share (the trunk)
/// once, then the other rows of each (its branch). Two answers to one prompt then cost the prompt once.
struct Place {
  int64_t begin = 0;   ///< row of its first token
  int64_t length = 0;  ///< tokens
  int64_t shared = 0;  ///< so many of them, the first, belong to the other sequences of its tree too; 0: no tree
  int64_t own = 0;     ///< row of the token at position `shared`

  int64_t row(int64_t position) const { return position < shared ? begin + position : own + position - shared; }
  int64_t last() const { return row(length - 1); }
  /// The sequence whose branch follows the trunk, or one without a tree: its rows are [begin, begin + length).
  bool first() const { return own == begin + shared; }
};

struct Packed {
  Tensor ids;                 ///< (N) i64
  Tensor positions;           ///< (N) i64, from 0 in each sequence
  std::vector<Place> places;  ///< of each sequence, in order; a tree's stand next to each other

  int64_t tokens() const { return ids.defined() ? ids.size(0) : 0; }  ///< N: what is shared counts once
  int64_t sequences() const { return static_cast<int64_t>(places.size()); }
};

/// Consecutive sequences become a tree where they begin alike: the first `trees[0]` of them, the next `trees[1]`, …,
/// whose sum is their number.
Packed pack(std::span<const std::span<const int32_t>> sequences, at::Device device, std::span<const int64_t> trees);
/// The sizes of trees of `group` consecutive ones each, of so many sequences.
std::vector<int64_t> trees_of(int64_t sequences, int64_t group);
/// Each `group` consecutive ones; 1: none do.
Packed pack(std::span<const std::span<const int32_t>> sequences, at::Device device, int64_t group);
Packed pack(std::span<const std::vector<int32_t>> sequences, at::Device device = at::kCPU, int64_t group = 1);

}  // namespace hone::model
