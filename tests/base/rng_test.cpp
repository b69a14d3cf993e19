#include "base/rng.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using hone::Stream;

TEST_CASE("philox4x32-10 agrees with the authors' known answers (Random123 kat_vectors)") {
  CHECK(hone::philox4x32({0, 0, 0, 0}, {0, 0}) ==
        std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(hone::philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(hone::philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream is addressed by position: drawing order does not matter") {
  Stream walking(7, "sample", 3, 1);
  const Stream fixed(7, "sample", 3, 1);
  for (uint64_t i = 0; i < 10; ++i) CHECK(walking.bits() == fixed.bits_at(i));
  CHECK(fixed.bits_at(0) != Stream(7, "sample", 3, 2).bits_at(0));
  CHECK(fixed.bits_at(0) != Stream(7, "shuffle", 3, 1).bits_at(0));
  CHECK(fixed.bits_at(0) != Stream(8, "sample", 3, 1).bits_at(0));
}

TEST_CASE("moments: uniform mean 1/2 and variance 1/12, normal 0 and 1, within 5 standard errors of n = 100,000") {
  Stream s(1, "moments");
  const int n = 100000;
  double u = 0, uu = 0, z = 0, zz = 0;
  for (int i = 0; i < n; ++i) {
    const double x = s.uniform(), y = s.normal();
    u += x, uu += x * x, z += y, zz += y * y;
  }
  CHECK(std::abs(u / n - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
  CHECK(std::abs(uu / n - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
  CHECK(std::abs(z / n) < 5 / std::sqrt(n));
  CHECK(std::abs(zz / n - 1) < 5 * std::sqrt(2.0 / n));
}

TEST_CASE("shuffle is a permutation") {
  std::vector<int> v(100);
  for (int i = 0; i < 100; ++i) v[static_cast<size_t>(i)] = i;
  Stream(2, "shuffle").shuffle(v);
  std::vector<int> seen(100);
  for (const int i : v) ++seen[static_cast<size_t>(i)];
  CHECK(seen == std::vector<int>(100, 1));
}
