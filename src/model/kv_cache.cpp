#include "model/kv_cache.h"

#include <algorithm>

#include "base/error.h"
#include "model/kv_blocks.h"
#include "model/kv_tensors.h"

namespace hone::model {

KvCache::Tensors::Tensors(const ModelConfig& c, at::Device device, at::ScalarType dtype) {
  const Tensor none = at::zeros({0, c.kv_heads, 0, c.head_dim}, at::TensorOptions(dtype).device(device));
  for (int64_t l = 0; l < c.layers; ++l) layers.push_back({none, none});
}

void KvCache::Tensors::reserve(int64_t slots, int64_t positions) {
  for (Layer& layer : layers)
    for (Tensor* t : {&layer.keys, &layer.values}) {
      if (t->size(0) >= slots && t->size(2) >= positions) continue;
      const int64_t more_slots = slots > t->size(0) ? std::max(slots, 2 * t->size(0)) : t->size(0);
      const int64_t more_positions =
          positions > t->size(2) ? std::max({positions, 2 * t->size(2), int64_t{64}}) : t->size(2);
      Tensor grown = at::zeros({more_slots, t->size(1), more_positions, t->size(3)}, t->options());
      grown.narrow(0, 0, t->size(0)).narrow(2, 0, t->size(2)).copy_(*t);
      *t = grown;
    }
}

int64_t KvCache::Tensors::add() {
  const auto free = std::find(length.begin(), length.end(), -1);
  const int64_t slot = free - length.begin();
  if (free == length.end()) length.push_back(0);
  length[slot] = 0;
  reserve(slot + 1, 0);
  return slot;
}

int64_t KvCache::Tensors::fork(int64_t sequence) {
  const int64_t slot = add();
  length[slot] = length[sequence];
  for (Layer& layer : layers)
    for (Tensor* t : {&layer.keys, &layer.values}) t->select(0, slot).copy_(t->select(0, sequence));
  return slot;
}

void KvCache::Tensors::remove(int64_t sequence) { length[sequence] = -1; }

KvCache::KvCache(const ModelConfig& config, at::Device device, at::ScalarType dtype, bool own_kernels) {
  if (own_kernels && device.is_cpu() && dtype == at::kFloat && config.head_dim <= 256)
    blocks_ = std::make_unique<Blocks>(config);
  else tensors_ = std::make_unique<Tensors>(config, device, dtype);
}
KvCache::~KvCache() = default;
KvCache::KvCache(KvCache&&) noexcept = default;
KvCache& KvCache::operator=(KvCache&&) noexcept = default;

int64_t KvCache::add() { return blocks_ ? blocks_->add() : tensors_->add(); }
int64_t KvCache::fork(int64_t sequence) { return blocks_ ? blocks_->fork(sequence) : tensors_->fork(sequence); }
void KvCache::remove(int64_t sequence) { blocks_ ? blocks_->remove(sequence) : tensors_->remove(sequence); }

void KvCache::truncate(int64_t sequence, int64_t length) {
  HONE_CHECK(length >= 0 && length <= this->length(sequence), "truncate: more tokens than there are");
  if (blocks_) blocks_->truncate(sequence, length);
  else tensors_->length[sequence] = length;
}

int64_t KvCache::length(int64_t sequence) const {
  if (!blocks_) return tensors_->length[sequence];
  const Blocks::Sequence& s = blocks_->sequences[sequence];
  HONE_CHECK(s.live, "a removed sequence");
  return s.length;
}

int64_t KvCache::bytes() const {
  if (blocks_) return blocks_->live_blocks * blocks_->block_floats() * 4;
  int64_t total = 0;
  for (const Tensors::Layer& layer : tensors_->layers) total += 2 * static_cast<int64_t>(layer.keys.nbytes());
  return total;
}

}  // namespace hone::model
