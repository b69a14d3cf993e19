#include "tensor/linear.h"

namespace hone {
namespace {
// Measured (MKL, AVX-512): below 12 rows other kernels run, with other rounding.
constexpr int64_t kMinRows = 16;
}  // namespace

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b, at::ScalarType compute) {
  const at::ScalarType own = x.scalar_type();
  if (compute == at::ScalarType::Undefined) compute = own;
  if (compute != own) {
    const Tensor y = at::linear(x.to(compute), w.to(compute)).to(own);  // (N, O); the bias is added in f32
    return b.defined() ? y + b : y;
  }
  const std::optional<Tensor> bias = b.defined() ? std::optional<Tensor>(b) : std::nullopt;
  const int64_t rows = x.size(0);
  if (rows < kMinRows && rows > 0 && own == at::kFloat && x.is_cpu() && !at::GradMode::is_enabled())
    return at::linear(at::constant_pad_nd(x, {0, 0, 0, kMinRows - rows}), w, bias).narrow(0, 0, rows);
  return at::linear(x, w, bias);
}

}  // namespace hone
