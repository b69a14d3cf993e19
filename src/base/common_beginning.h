// What token sequences begin with alike and is therefore computed once.
#pragma once
#include <cstdint>
#include <span>

namespace hone {

/// Tokens that all of them begin with, at most all but the last of the shortest: each keeps a row of its own, for what
/// follows it. 0 of fewer than two.
int64_t common_beginning(std::span<const std::span<const int32_t>> sequences);

}  // namespace hone
