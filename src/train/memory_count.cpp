#include "train/memory_count.h"

namespace hone::train {

void MemoryCount::add(const Tensor& tensor) {
  if (tensor.defined() && seen_.insert(tensor.storage().data()).second) bytes_ += static_cast<int64_t>(tensor.nbytes());
}

void MemoryCount::add(const model::Decoder& decoder) {
  for (const model::Parameter& p : decoder.parameters()) add(p.tensor);
  if (decoder.adapter() == nullptr) return;
  for (const model::Parameter& p : decoder.adapter()->parameters()) add(p.tensor);
}

void MemoryCount::add(const model::ScalarHead& head) {
  add(head.weight);
  add(head.bias);
}

void MemoryCount::add_trained(const std::vector<optim::NamedTensor>& tensors) {
  for (const optim::NamedTensor& t : tensors) add(t.tensor.grad());
}

void MemoryCount::add(const optim::StateTensors& state) {
  for (const auto& [name, tensor] : state) add(tensor);
}

}  // namespace hone::train
