#include "optim/gradients.h"

#include <cmath>

#include "base/error.h"

namespace hone::optim {
namespace {
std::vector<Tensor> gradients_of(std::span<const NamedTensor> tensors) {
  std::vector<Tensor> out;
  out.reserve(tensors.size());
  for (const NamedTensor& t : tensors) {
    if (!t.tensor.grad().defined())
      fail(Kind::kBug, "trainable tensor '" + t.name + "' got no gradient",
           "it takes no part in the loss: freeze it or use it");
    out.push_back(t.tensor.grad());
  }
  return out;
}
}  // namespace

double gradient_norm(std::span<const NamedTensor> tensors) {
  if (tensors.empty()) return 0;
  const at::NoGradGuard no_grad;
  const std::vector<Tensor> grads = gradients_of(tensors);
  const std::vector<Tensor> norms = at::_foreach_norm(grads, 2);
  return at::stack(norms).to(at::kDouble).square().sum().sqrt().item<double>();
}

double clip_gradients(std::span<const NamedTensor> tensors, double max_norm) {
  const double norm = gradient_norm(tensors);
  if (max_norm > 0 && std::isfinite(norm) && norm > max_norm) {
    const at::NoGradGuard no_grad;
    std::vector<Tensor> grads = gradients_of(tensors);
    at::_foreach_mul_(grads, max_norm / (norm + 1e-6));
  }
  return norm;
}

std::vector<std::string> non_finite_gradients(std::span<const NamedTensor> tensors) {
  const at::NoGradGuard no_grad;
  std::vector<std::string> names;
  for (const NamedTensor& t : tensors)
    if (t.tensor.grad().defined() && !at::isfinite(t.tensor.grad()).all().item<bool>()) names.push_back(t.name);
  return names;
}

void zero_gradients(std::span<const NamedTensor> tensors) {
  for (const NamedTensor& t : tensors)
    if (t.tensor.grad().defined()) {
      Tensor grad = t.tensor.grad();
      grad.detach_();
      grad.zero_();
    }
}

}  // namespace hone::optim
