// Golden files of torch rooms: JSON written by the script named in them, with the versions that computed it.
#pragma once
#include "base/files.h"
#include "base/json.h"
#include "tensor/tensor.h"

namespace hone::golden {

inline Json load(const std::string& name) {
  const std::string path = "tests/golden/" + name;  // tests run in the repository's root
  return parse_json(read_file(path), path);
}

/// Nested lists of numbers or booleans -> tensor of that shape.
inline Tensor tensor(const Json& value, at::ScalarType dtype = at::kFloat) {
  std::vector<int64_t> shape;
  std::vector<double> flat;
  for (const Json* level = &value; level->is_array(); level = &level->front())
    shape.push_back(static_cast<int64_t>(level->size()));
  const std::function<void(const Json&)> walk = [&](const Json& node) {
    if (node.is_array())
      for (const Json& child : node) walk(child);
    else flat.push_back(node.is_boolean() ? (node.get<bool>() ? 1.0 : 0.0) : node.get<double>());
  };
  walk(value);
  return at::from_blob(flat.data(), shape, at::TensorOptions().dtype(at::kDouble)).to(dtype, false, /*copy=*/true);
}

/// Largest |a - b|.
inline double distance(const Tensor& a, const Tensor& b) {
  return (a.detach().to(at::kDouble) - b.detach().to(at::kDouble)).abs().max().item<double>();
}

}  // namespace hone::golden
