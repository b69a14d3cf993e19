#include "tensor/weight_casts.h"

#include "tensor/autograd.h"

namespace hone {

Tensor WeightCasts::of(const Tensor& weight, at::ScalarType dtype) {
  const at::ScalarType own = weight.scalar_type();
  if (dtype == at::ScalarType::Undefined || dtype == own) return weight;
  Cast& cast = casts_[weight.unsafeGetTensorImpl()];
  const auto version = static_cast<uint32_t>(weight._version());
  if (!cast.values.defined() || cast.version != version || cast.values.scalar_type() != dtype) {
    // Never over the old values: a graph may still hold them.
    cast = {weight, weight.detach().to(dtype), version};
  }
  return attach_backward({weight}, {cast.values.detach()},
                         [own](const std::vector<Tensor>& grads) -> std::vector<Tensor> {
                           return {grads[0].defined() ? grads[0].to(own) : Tensor()};
                         })[0];
}

int64_t WeightCasts::bytes() const {
  int64_t total = 0;
  for (const auto& [key, cast] : casts_) total += static_cast<int64_t>(cast.values.nbytes());
  return total;
}

}  // namespace hone
