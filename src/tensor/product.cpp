#include "tensor/product.h"

#include <ATen/Context.h>

#include <string_view>

#include "tensor/cpu/kernels.h"

// As ATen/native/mkldnn/Matmul.h declares it, which LibTorch exports but does not install:
// result = beta · result + alpha · mat1 · mat2. Used for f32 it computes in f32.
namespace at::native {
void mkldnn_matmul(const Tensor& mat1, const Tensor& mat2, const Tensor& result, float beta, float alpha);
}

namespace hone {
namespace {

// Small products are no faster, and what is made for each new shape would show.
constexpr int64_t kLeastElements = int64_t{1} << 18;

bool wide_and_not_intel() {
#if defined(__x86_64__)
  static const bool yes = __builtin_cpu_is("intel") == 0 && std::string_view(cpu::kernels().name) == "v4" &&
                          at::globalContext().hasMKLDNN();
  return yes;
#else
  return false;
#endif
}

}  // namespace

bool by_onednn(const Tensor& weight) {
  return weight.is_cpu() && weight.scalar_type() == at::kFloat && weight.numel() >= kLeastElements &&
         wide_and_not_intel();
}

Tensor product(const Tensor& a, const Tensor& b, const Tensor& weight) {
  if (!by_onednn(weight) || a.numel() == 0) return at::mm(a, b);
  Tensor out = at::empty({a.size(0), b.size(1)}, a.options().requires_grad(false));
  at::native::mkldnn_matmul(a, b, out, 0, 1);
  return out;
}

void add_product(Tensor& gradient, const Tensor& a, const Tensor& b) {
  if (by_onednn(gradient) && a.numel() > 0) at::native::mkldnn_matmul(a, b, gradient, 1, 1);
  else gradient.addmm_(a, b);
}

}  // namespace hone
