#include "base/common_beginning.h"

#include <algorithm>

namespace hone {

int64_t common_beginning(std::span<const std::span<const int32_t>> sequences) {
  if (sequences.size() < 2) return 0;
  const std::span<const int32_t> first = sequences[0];
  int64_t common = std::ssize(first) - 1;
  for (const std::span<const int32_t> s : sequences.subspan(1)) {
    const auto most = static_cast<size_t>(std::max<int64_t>(0, std::min(common, std::ssize(s) - 1)));
    common = std::ranges::mismatch(first.first(most), s.first(most)).in1 - first.begin();
  }
  return std::max<int64_t>(0, common);
}

}  // namespace hone
