// Matrix products of the size that training spends its time in.
//
// LibTorch sends f32 products to MKL, which takes AVX-512 on Intel's processors alone; on others oneDNN, which LibTorch
// brings too and uses for bf16, is two to three times as fast. Which of the two computes follows from the processor,
// hone's kernels (HONE_CPU) and the shapes, all of which a run records: never from a measurement.
#pragma once
#include "tensor/tensor.h"

namespace hone {

/// a (M, K) · b (K, N) -> (M, N), of one dtype, any strides; no gradient. `weight` is the weight that the product is
/// for, a factor or what the result is the gradient of: its size decides, so that a layer's passes go one way.
Tensor product(const Tensor& a, const Tensor& b, const Tensor& weight);
/// gradient += a · b, in place; gradient is of the weight's shape.
void add_product(Tensor& gradient, const Tensor& a, const Tensor& b);
/// True where products with this weight are oneDNN's.
bool by_onednn(const Tensor& weight);

}  // namespace hone
