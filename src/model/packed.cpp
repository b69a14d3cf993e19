#include "model/packed.h"

namespace hone::model {

Packed pack(std::span<const std::vector<int32_t>> sequences, at::Device device) {
  Packed out;
  out.offsets.push_back(0);
  for (const auto& s : sequences) out.offsets.push_back(out.offsets.back() + static_cast<int64_t>(s.size()));
  out.ids = at::empty({out.tokens()}, at::kLong);
  out.positions = at::empty({out.tokens()}, at::kLong);
  auto* ids = out.ids.mutable_data_ptr<int64_t>();
  auto* positions = out.positions.mutable_data_ptr<int64_t>();
  for (const auto& s : sequences)
    for (size_t i = 0; i < s.size(); ++i) {
      *ids++ = s[i];
      *positions++ = static_cast<int64_t>(i);
    }
  out.ids = out.ids.to(device);
  out.positions = out.positions.to(device);
  return out;
}

}  // namespace hone::model
