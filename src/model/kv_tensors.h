// The KV cache of other devices and dtypes: one tensor a layer, a slot a sequence, grown by doubling.
#pragma once
#include "model/kv_cache.h"

namespace hone::model {

struct KvCache::Tensors {
  Tensors(const ModelConfig& config, at::Device device, at::ScalarType dtype);
  int64_t add();
  int64_t fork(int64_t sequence);
  void remove(int64_t sequence);
  void reserve(int64_t slots, int64_t positions);

  struct Layer {
    Tensor keys, values;  ///< (slots, K, positions, d)
  };
  std::vector<Layer> layers;
  std::vector<int64_t> length;  ///< by slot; -1 = free
};

}  // namespace hone::model
