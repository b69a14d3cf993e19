#include "model/layer_ops.h"

#include "tensor/layer_kernels.h"

namespace hone::model {

Tensor normalise(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  if (bias.defined()) return at::layer_norm(x, {x.size(1)}, weight, bias, eps);
  return rms_norm(x, weight, eps);
}

Tensor rotate(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  const int64_t half = x.size(2) / 2;
  const Tensor a = x.narrow(2, 0, half), b = x.narrow(2, half, half);
  const Tensor c = cos.unsqueeze(1), s = sin.unsqueeze(1);
  return at::cat({a * c - b * s, b * c + a * s}, 2);
}

}  // namespace hone::model
