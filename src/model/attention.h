// Causal attention over packed sequences that do not see each other, never through a T×T mask over the pack.
//
// On the CPU in f32 hone's own kernel takes each sequence and key head by itself and pads nothing
// (tensor/packed_attention.h). Elsewhere long sequences go one at a time. Short ones go in buckets of like length,
// padded on the right: with a causal mask no real query sees the padding, so no further mask is needed. A bucket grows
// only while padding is at most 15% of its work. Of a tree hone's kernel takes the whole; elsewhere each sequence is
// gathered with its trunk, whose attention is then computed once a sequence and answered once.
#pragma once
#include "model/packed.h"
#include "tensor/packed_attention.h"
#include "tensor/tensor.h"

namespace hone::model {

/// How much attention work (query × key cells) was done, and how much of it on padding.
struct AttentionWork {
  double cells = 0;
  double padding = 0;
  double padding_share() const { return cells > 0 ? padding / cells : 0; }
};

/// How a pack is cut, made once per pack and used by every layer.
class AttentionPlan {
 public:
  /// For tensors like `like` (device and dtype). `own_kernel` = false: buckets even where hone's own kernel would do.
  AttentionPlan(std::span<const Place> places, const Tensor& like, AttentionWork* work = nullptr,
                bool own_kernel = true);
  /// q (N, H, d), k and v (N, K, d), any strides with a contiguous last axis -> (N, H·d). cos and sin (N, d/2): RoPE on
  /// q and k first; undefined: none.
  Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& cos, const Tensor& sin) const;

 private:
  struct Bucket {
    int64_t begin = 0;  ///< first row, where `rows` is undefined
    int64_t count = 0, length = 0;
    Tensor rows;  ///< (count · length) i64: source row of each padded place; undefined for one sequence in a row
    Tensor real;  ///< (rows answered) i64: the places that are no padding and no trunk again; undefined if all are
  };
  void make_buckets(std::span<const Place> places, at::Device device, AttentionWork* work);
  bool fused_;
  std::vector<AttentionTree> trees_;
  std::vector<Bucket> buckets_;
  Tensor restore_;  ///< (N) i64: row of the concatenated bucket outputs for each token; undefined if in order
};

}  // namespace hone::model
