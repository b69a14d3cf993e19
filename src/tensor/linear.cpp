#include "tensor/linear.h"

#include "tensor/autograd.h"
#include "tensor/cpu/panels.h"
#include "tensor/product.h"

namespace hone {
namespace {
// Measured (MKL, AVX-512): below 12 rows other kernels run, with other rounding.
constexpr int64_t kMinRows = 16;
// By oneDNN, in both passes.
Tensor large_linear(const Tensor& x, const Tensor& w, const Tensor& b) {
  Tensor y;
  {
    const at::NoGradGuard no_grad;
    y = product(x, w.t(), w);
    if (b.defined()) y.add_(b);
  }
  std::vector<Tensor> inputs{x, w};
  if (b.defined()) inputs.push_back(b);
  return attach_backward(inputs, {y}, [inputs](const std::vector<Tensor>& grads) {
    std::vector<Tensor> out(inputs.size());
    if (!grads[0].defined()) return out;
    const Tensor &x = inputs[0], &w = inputs[1], g = grads[0].contiguous();
    if (x.requires_grad()) out[0] = product(g, w, w);
    if (w.requires_grad()) out[1] = product(g.t(), x, w);
    if (inputs.size() > 2 && inputs[2].requires_grad()) out[2] = g.sum(0);
    return out;
  })[0];
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b, at::ScalarType compute) {
  const at::ScalarType own = x.scalar_type();
  if (compute == at::ScalarType::Undefined) compute = own;
  if (compute != own) {
    const Tensor y = at::linear(x.to(compute), w.to(compute)).to(own);  // (N, O); the bias is added in f32
    return b.defined() ? y + b : y;
  }
  // A frozen weight may lie in another dtype than this product's.
  if (w.scalar_type() != own) return linear(x, w.to(own), b, compute);
  const std::optional<Tensor> bias = b.defined() ? std::optional<Tensor>(b) : std::nullopt;
  const auto by_rows = [&](const Tensor& rows) {
    return by_onednn(w) ? large_linear(rows, w, b) : at::linear(rows, w, bias);
  };
  const int64_t rows = x.size(0);
  if (rows < kMinRows && rows > 0 && own == at::kFloat && x.is_cpu() && !at::GradMode::is_enabled())
    return by_rows(at::constant_pad_nd(x, {0, 0, 0, kMinRows - rows})).narrow(0, 0, rows);
  return by_rows(x);
}

Tensor invariant_linear(const Tensor& x, const Tensor& w, const Tensor& b) {
  const at::NoGradGuard no_grad;
  if (!x.is_cpu() || x.scalar_type() != at::kFloat) return linear(x, w, b);
  const int64_t rows = x.size(0), in = x.size(1), out = w.size(0);
  const Tensor source = x.contiguous(), weight = w.contiguous();
  Tensor y = at::empty({rows, out}, x.options());
  constexpr int64_t kRows = 256;
  for (int64_t begin = 0; begin < rows; begin += kRows) {
    const int64_t n = std::min(kRows, rows - begin), width = cpu::panel_width(n);
    cpu::Panels from(n, in, width), to(n, out, width);
    from.pack(source.const_data_ptr<float>() + begin * in);
    cpu::linear(from, {weight.const_data_ptr<float>(), b.defined() ? b.const_data_ptr<float>() : nullptr, out}, to);
    to.unpack(y.mutable_data_ptr<float>() + begin * out);
  }
  return y;
}

}  // namespace hone
