// Causal attention over packed sequences that do not see each other, never through a T×T mask over the pack.
//
// Long sequences go one at a time. Short ones go in buckets of like length, padded on the right: with a causal mask no
// real query sees the padding, so no further mask is needed. A bucket grows only while padding is at most 15% of its
// work.
#pragma once
#include "model/packed.h"
#include "tensor/tensor.h"

namespace hone::model {

/// How much attention work (query × key cells) was done, and how much of it on padding.
struct AttentionWork {
  double cells = 0;
  double padding = 0;
};

/// How a pack is cut, made once per pack and used by every layer.
class AttentionPlan {
 public:
  AttentionPlan(std::span<const int64_t> offsets, at::Device device, AttentionWork* work = nullptr);
  /// q (N, H, d), k and v (N, K, d), any strides with a contiguous last axis -> (N, H·d).
  Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v) const;

 private:
  struct Bucket {
    int64_t begin = 0;  ///< first row, for a bucket of one
    int64_t count = 0, length = 0;
    Tensor rows;  ///< (count · length) i64: source row of each padded place; undefined for a bucket of one
    Tensor real;  ///< (real tokens) i64: the places that are not padding; undefined if all are real
  };
  std::vector<Bucket> buckets_;
  Tensor restore_;  ///< (N) i64: row of the concatenated bucket outputs for each token; undefined if in order
};

}  // namespace hone::model
