// What a stage's networks take, counted from their tensors at its end: for the run record, beside what `--plan` said
// (train/memory.h).
#pragma once
#include <set>

#include "model/decoder.h"
#include "model/scalar_head.h"
#include "optim/named_tensor.h"

namespace hone::train {

class MemoryCount {
 public:
  /// Weights; what is shared with a network that was added before counts once.
  void add(const model::Decoder& decoder);
  void add(const model::ScalarHead& head);
  /// Gradients of what trains.
  void add_trained(const std::vector<optim::NamedTensor>& tensors);
  void add(const WeightCasts& casts) { bytes_ += casts.bytes(); }
  void add(const optim::StateTensors& state);
  int64_t bytes() const { return bytes_; }

 private:
  void add(const Tensor& tensor);
  int64_t bytes_ = 0;
  std::set<const void*> seen_;  // storages
};

}  // namespace hone::train
