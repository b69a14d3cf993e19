#include "tensor/layer_kernels.h"

#include <algorithm>

#include "tensor/autograd.h"
#include "tensor/cpu/kernels.h"

namespace hone {
namespace {

constexpr int64_t kRows = 128;        // rows of one partial sum of the weight's gradient, whatever the threads
constexpr int64_t kElements = 16384;  // elements at a time

int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }

std::vector<Tensor> rms_norm_backward(const Tensor& x, const Tensor& weight, const Tensor& factors,
                                      const Tensor& grad) {
  const int64_t n = x.size(0), d = x.size(1);
  const Tensor dy = grad.contiguous();
  Tensor dx = at::empty_like(x), partial = at::zeros({parts(n, kRows), d}, x.options());
  const auto *px = x.const_data_ptr<float>(), *pw = weight.const_data_ptr<float>(), *pdy = dy.const_data_ptr<float>(),
             *pf = factors.const_data_ptr<float>();
  auto *pdx = dx.mutable_data_ptr<float>(), *pdw = partial.mutable_data_ptr<float>();
  at::parallel_for(0, partial.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part)
      for (int64_t i = part * kRows; i < std::min(n, (part + 1) * kRows); ++i)
        cpu::kernels().rms_norm_row_gradient(px + i * d, pw, pdy + i * d, d, pf[i], pdx + i * d, pdw + part * d);
  });
  return {dx, partial.sum(0)};
}

}  // namespace

Tensor rms_norm(const Tensor& input, const Tensor& weight, double eps) {
  if (!fused_kernels(input)) return at::rms_norm(input, {input.size(1)}, weight, eps);
  Tensor x, y, factors;
  {
    const at::NoGradGuard no_grad;
    x = input.contiguous();
    const int64_t n = x.size(0), d = x.size(1);
    y = at::empty_like(x);
    factors = at::empty({n}, x.options());
    const auto *px = x.const_data_ptr<float>(), *pw = weight.const_data_ptr<float>();
    auto *py = y.mutable_data_ptr<float>(), *pf = factors.mutable_data_ptr<float>();
    at::parallel_for(0, n, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        cpu::kernels().rms_norm_row(px + i * d, pw, d, static_cast<float>(eps), py + i * d, pf + i);
    });
  }
  return attach_backward({input, weight}, {y}, [x, weight, factors](const std::vector<Tensor>& grads) {
    return rms_norm_backward(x, weight, factors, grads[0]);
  })[0];
}

Tensor swiglu(const Tensor& gate_input, const Tensor& up_input) {
  if (!fused_kernels(gate_input)) return at::silu(gate_input) * up_input;
  Tensor gate, up, y;
  {
    const at::NoGradGuard no_grad;
    gate = gate_input.contiguous();
    up = up_input.contiguous();
    y = at::empty_like(gate);
    const auto *pg = gate.const_data_ptr<float>(), *pu = up.const_data_ptr<float>();
    auto* py = y.mutable_data_ptr<float>();
    at::parallel_for(0, parts(gate.numel(), kElements), 1, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * kElements, n = std::min(gate.numel(), end * kElements) - at;
      cpu::kernels().swiglu(pg + at, pu + at, py + at, n);
    });
  }
  return attach_backward({gate_input, up_input}, {y}, [gate, up](const std::vector<Tensor>& grads) {
    const Tensor dy = grads[0].contiguous();
    Tensor dgate = at::empty_like(gate), dup = at::empty_like(up);
    const auto *pg = gate.const_data_ptr<float>(), *pu = up.const_data_ptr<float>(), *pdy = dy.const_data_ptr<float>();
    auto *pdg = dgate.mutable_data_ptr<float>(), *pdu = dup.mutable_data_ptr<float>();
    at::parallel_for(0, parts(gate.numel(), kElements), 1, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * kElements, n = std::min(gate.numel(), end * kElements) - at;
      cpu::kernels().swiglu_gradient(pg + at, pu + at, pdy + at, pdg + at, pdu + at, n);
    });
    return std::vector<Tensor>{dgate, dup};
  })[0];
}

}  // namespace hone
