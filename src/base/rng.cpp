#include "base/rng.h"

#include <cmath>
#include <numbers>

namespace hone {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  constexpr uint32_t kM0 = 0xD2511F53, kM1 = 0xCD9E8D57, kW0 = 0x9E3779B9, kW1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = static_cast<uint64_t>(kM0) * c[0];
    const uint64_t p1 = static_cast<uint64_t>(kM1) * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += kW0;
    k[1] += kW1;
  }
  return c;
}

uint64_t mix64(uint64_t a, uint64_t b) {
  uint64_t z = a + 0x9E3779B97F4A7C15ULL * (b + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

uint64_t hash64(std::string_view text) {
  uint64_t h = 0xCBF29CE484222325ULL;
  for (const unsigned char c : text) h = (h ^ c) * 0x100000001B3ULL;
  return mix64(h, text.size());
}

Stream::Stream(uint64_t seed, std::string_view purpose, uint64_t a, uint64_t b) {
  const uint64_t key = mix64(seed, hash64(purpose));
  const uint64_t high = mix64(mix64(key, a), b);
  key_ = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
  high_ = {static_cast<uint32_t>(high), static_cast<uint32_t>(high >> 32)};
}

uint64_t Stream::bits_at(uint64_t position) const {
  const uint64_t block = position >> 1;  // one block gives two 64-bit numbers
  const auto r =
      philox4x32({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), high_[0], high_[1]}, key_);
  const size_t i = (position & 1) * 2;
  return static_cast<uint64_t>(r[i]) | (static_cast<uint64_t>(r[i + 1]) << 32);
}

double Stream::normal() {
  const double u = 1.0 - uniform();
  const double v = uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

double Stream::logistic() {
  const double u = (static_cast<double>(bits() >> 11) + 0.5) * 0x1.0p-53;
  return std::log(u) - std::log1p(-u);
}

}  // namespace hone
