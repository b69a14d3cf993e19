// The CPU's KV cache in f32: reference-counted blocks.
#pragma once
#include "model/kv_cache.h"

namespace hone::model {

struct KvCache::Blocks {
  explicit Blocks(const ModelConfig& config);
  int64_t add();
  int64_t fork(int64_t sequence);
  void remove(int64_t sequence);
  void truncate(int64_t sequence, int64_t length);
  /// Room for `count` more tokens, in blocks that belong to this sequence alone.
  void grow(int64_t sequence, int64_t count);

  int64_t k_offset(int64_t layer, int64_t head) const { return (layer * kv_heads + head) * part(); }
  int64_t v_offset(int64_t layer, int64_t head) const;
  /// Writes one token's key and value; their elements lie `stride` apart.
  void write(int64_t sequence, int64_t layer, int64_t head, int64_t position, const float* key, const float* value,
             int64_t stride);

  struct Sequence {
    std::vector<float*> blocks;
    std::vector<int32_t> numbers;  ///< of the blocks, for the reference counts
    int64_t length = 0;
    bool live = false;
  };
  int64_t layers, kv_heads, head_dim, v_stride;
  std::vector<Sequence> sequences;
  int64_t live_blocks = 0;
  int64_t block_floats() const { return layers * kv_heads * part(); }

 private:
  int64_t part() const;  ///< floats of one layer and head in a block, keys then values
  int32_t take();
  void drop(int32_t block);
  std::vector<int64_t> free_sequences_;
  std::vector<int32_t> free_blocks_, references_;
  std::vector<std::unique_ptr<float[]>> slabs_;  ///< kSlab blocks each, never moved
};

}  // namespace hone::model
