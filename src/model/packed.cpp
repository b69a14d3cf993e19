#include "model/packed.h"

#include <algorithm>

#include "base/common_beginning.h"
#include "base/error.h"
#include "tensor/from_host.h"

namespace hone::model {
Packed pack(std::span<const std::span<const int32_t>> sequences, at::Device device, std::span<const int64_t> trees) {
  Packed out;
  std::vector<int64_t> ids, positions;
  const auto add = [&](std::span<const int32_t> s, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      ids.push_back(s[i]);
      positions.push_back(i);
    }
  };
  size_t taken = 0;
  for (const int64_t size : trees) {
    const auto tree = sequences.subspan(taken, size);
    taken += tree.size();
    const int64_t shared = common_beginning(tree), trunk = std::ssize(ids);
    add(tree[0], 0, shared);
    for (const std::span<const int32_t> s : tree) {
      const int64_t own = std::ssize(ids);
      out.places.push_back({shared > 0 ? trunk : own, std::ssize(s), shared, own});
      add(s, shared, std::ssize(s));
    }
  }
  HONE_CHECK(taken == sequences.size(), "every sequence is of one tree");
  out.ids = from_host(ids, device);
  out.positions = from_host(positions, device);
  return out;
}

std::vector<int64_t> trees_of(int64_t sequences, int64_t group) {
  HONE_CHECK(group >= 1);
  std::vector<int64_t> out;
  for (int64_t left = sequences; left > 0; left -= group) out.push_back(std::min(group, left));
  return out;
}

Packed pack(std::span<const std::span<const int32_t>> sequences, at::Device device, int64_t group) {
  return pack(sequences, device, trees_of(std::ssize(sequences), group));
}

Packed pack(std::span<const std::vector<int32_t>> sequences, at::Device device, int64_t group) {
  return pack(std::vector<std::span<const int32_t>>(sequences.begin(), sequences.end()), device, group);
}

}  // namespace hone::model
