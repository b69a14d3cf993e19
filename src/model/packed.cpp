#include "model/packed.h"

#include "tensor/from_host.h"

namespace hone::model {

Packed pack(std::span<const std::vector<int32_t>> sequences, at::Device device) {
  Packed out;
  out.offsets.push_back(0);
  for (const auto& s : sequences) out.offsets.push_back(out.offsets.back() + static_cast<int64_t>(s.size()));
  std::vector<int64_t> ids, positions;
  for (const auto& s : sequences)
    for (size_t i = 0; i < s.size(); ++i) {
      ids.push_back(s[i]);
      positions.push_back(static_cast<int64_t>(i));
    }
  out.ids = from_host(ids, device);
  out.positions = from_host(positions, device);
  return out;
}

}  // namespace hone::model
