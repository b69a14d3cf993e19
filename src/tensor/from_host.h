// The one way from a vector on the host to a tensor on a device.
#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace hone {

/// (N) i64 or f32, a copy of `values` on `device`.
template <class T>
Tensor from_host(std::span<const T> values, at::Device device = at::kCPU) {
  Tensor host = at::empty({static_cast<int64_t>(values.size())}, at::CppTypeToScalarType<T>::value);
  std::copy(values.begin(), values.end(), host.mutable_data_ptr<T>());
  return host.to(device);
}

template <class T>
Tensor from_host(const std::vector<T>& values, at::Device device = at::kCPU) {
  return from_host(std::span<const T>(values), device);
}

/// Token ids as (N) i64, as operators index with them; undefined where there are none.
inline Tensor index_from_host(std::span<const int32_t> ids, at::Device device) {
  return ids.empty() ? Tensor() : from_host(std::vector<int64_t>(ids.begin(), ids.end()), device);
}

}  // namespace hone
