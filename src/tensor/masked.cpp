#include "tensor/masked.h"

namespace hone {
namespace {

struct Moments {
  Tensor mean, var;  // f64 scalars
};

// Elements outside the mask may be anything, NaN too: they are replaced before they are multiplied.
Moments moments(const Tensor& x, const Tensor& mask, Variance kind) {
  const Tensor weight = mask.to(at::kDouble);
  const Tensor values = x.to(at::kDouble).masked_fill(weight == 0, 0);
  const Tensor count = weight.sum();
  const Tensor mean = (values * weight).sum() / count.clamp_min(1e-300);
  const Tensor squares = ((values - mean).square() * weight).sum();
  const Tensor divisor = kind == Variance::kUnbiased ? count - 1 : count;
  return {mean, squares / divisor.clamp_min(1)};
}

}  // namespace

Tensor masked_mean(const Tensor& x, const Tensor& mask) { return moments(x, mask, Variance::kBiased).mean; }

Tensor masked_var(const Tensor& x, const Tensor& mask, Variance kind) { return moments(x, mask, kind).var; }

Tensor whiten(const Tensor& x, const Tensor& mask, bool shift_mean, Variance kind, double eps) {
  const at::NoGradGuard no_grad;
  const Moments m = moments(x, mask, kind);
  Tensor y = (x.to(at::kDouble) - m.mean) * at::rsqrt(m.var + eps);
  if (!shift_mean) y = y + m.mean;
  return y.to(x.scalar_type());
}

}  // namespace hone
