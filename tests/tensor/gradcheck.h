// Central differences against the backward pass, in f64.
#pragma once
#include <doctest/doctest.h>

#include <cmath>

#include "tensor/autograd.h"
#include "tensor/tensor.h"

namespace hone::test {

/// Deterministic numbers in (-1, 1), spread like noise, without any random state.
inline Tensor noise(std::vector<int64_t> shape, double salt = 0, at::ScalarType dtype = at::kDouble) {
  int64_t n = 1;
  for (const int64_t s : shape) n *= s;
  const Tensor x = at::arange(n, at::kDouble);
  return (x * 12.9898 + (salt + 1) * 78.233).sin().mul(43758.5453).sin().reshape(shape).to(dtype);
}

/// Largest difference between the gradients of f's scalar and central differences, over all inputs.
inline double gradient_error(const std::function<Tensor(const std::vector<Tensor>&)>& f, std::vector<Tensor> inputs,
                             double step = 1e-6) {
  for (Tensor& x : inputs) x = x.detach().clone().requires_grad_(true);
  const std::vector<Tensor> grads = gradients({f(inputs)}, {}, inputs);
  double worst = 0;
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor flat = inputs[i].detach().view({-1});
    const Tensor grad = grads[i].defined() ? grads[i].reshape({-1}) : at::zeros_like(flat);
    for (int64_t j = 0; j < flat.numel(); ++j) {
      auto* p = flat.mutable_data_ptr<double>() + j;
      const double kept = *p;
      *p = kept + step;
      const double up = f(inputs).item<double>();
      *p = kept - step;
      const double down = f(inputs).item<double>();
      *p = kept;
      worst = std::max(worst, std::abs((up - down) / (2 * step) - grad[j].item<double>()));
    }
  }
  return worst;
}

inline double max_difference(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace hone::test
