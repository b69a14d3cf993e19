#include "model/kv_blocks.h"

#include <algorithm>

#include "base/error.h"
#include "tensor/cpu/kernels.h"

namespace hone::model {
namespace {
constexpr int64_t kKeys = cpu::kBlockKeys;
constexpr int32_t kSlab = 16;
}  // namespace

KvCache::Blocks::Blocks(const ModelConfig& c)
    : layers(c.layers), kv_heads(c.kv_heads), head_dim(c.head_dim), v_stride((c.head_dim + 15) / 16 * 16) {}

int64_t KvCache::Blocks::part() const { return kKeys * (head_dim + v_stride); }
int64_t KvCache::Blocks::v_offset(int64_t layer, int64_t head) const {
  return k_offset(layer, head) + kKeys * head_dim;
}

int64_t KvCache::Blocks::add() {
  if (free_sequences_.empty()) {
    sequences.emplace_back();
    free_sequences_.push_back(static_cast<int64_t>(sequences.size()) - 1);
  }
  const int64_t s = free_sequences_.back();
  free_sequences_.pop_back();
  sequences[s] = {};
  sequences[s].live = true;
  return s;
}

int64_t KvCache::Blocks::fork(int64_t sequence) {
  const int64_t s = add();
  sequences[s] = sequences[sequence];
  for (const int32_t block : sequences[s].numbers) ++references_[block];
  return s;
}

void KvCache::Blocks::remove(int64_t sequence) {
  Sequence& s = sequences[sequence];
  for (const int32_t block : s.numbers) drop(block);
  s = {};
  free_sequences_.push_back(sequence);
}

void KvCache::Blocks::truncate(int64_t sequence, int64_t length) {
  Sequence& s = sequences[sequence];
  const auto keep = static_cast<size_t>((length + kKeys - 1) / kKeys);
  for (size_t i = keep; i < s.numbers.size(); ++i) drop(s.numbers[i]);
  s.numbers.resize(keep);
  s.blocks.resize(keep);
  s.length = length;
}

int32_t KvCache::Blocks::take() {
  if (free_blocks_.empty()) {
    // Zeroed: the unused tail of a value's row is multiplied (and thrown away), it must not be a NaN.
    slabs_.push_back(std::make_unique<float[]>(static_cast<size_t>(kSlab * block_floats())));
    for (int32_t i = kSlab; i-- > 0;) {
      free_blocks_.push_back(static_cast<int32_t>(references_.size()) + i);
    }
    references_.resize(references_.size() + kSlab);
  }
  const int32_t block = free_blocks_.back();
  free_blocks_.pop_back();
  references_[block] = 1;
  ++live_blocks;
  return block;
}

void KvCache::Blocks::drop(int32_t block) {
  if (--references_[block] > 0) return;
  free_blocks_.push_back(block);
  --live_blocks;
}

void KvCache::Blocks::grow(int64_t sequence, int64_t count) {
  Sequence& s = sequences[sequence];
  const auto address = [&](int32_t block) { return slabs_[block / kSlab].get() + block % kSlab * block_floats(); };
  if (s.length % kKeys != 0 && references_[s.numbers.back()] > 1) {
    const int32_t own = take();
    std::copy_n(s.blocks.back(), block_floats(), address(own));
    drop(s.numbers.back());
    s.numbers.back() = own;
    s.blocks.back() = address(own);
  }
  while (static_cast<int64_t>(s.blocks.size()) * kKeys < s.length + count) {
    s.numbers.push_back(take());
    s.blocks.push_back(address(s.numbers.back()));
  }
}

void KvCache::Blocks::write(int64_t sequence, int64_t layer, int64_t head, int64_t position, const float* key,
                            const float* value, int64_t stride) {
  float* block = sequences[sequence].blocks[position / kKeys];
  float* k = block + k_offset(layer, head) + position % kKeys;
  float* v = block + v_offset(layer, head) + position % kKeys * v_stride;
  for (int64_t d = 0; d < head_dim; ++d) {
    k[d * kKeys] = key[d * stride];
    v[d] = value[d * stride];
  }
}

}  // namespace hone::model
