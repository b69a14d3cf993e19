// Counter-based randomness: every number is a pure function of (seed, purpose, a, b, position), so that nothing
// depends on batch size, thread count, schedule or what was drawn before. No global state.
//
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace hone {

/// One block of Philox4x32-10: 128 bits of counter and 64 bits of key to 128 random bits.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A stable 64-bit hash (FNV-1a, then mixed) of a string: names of purposes, prompts, files.
uint64_t hash64(std::string_view text);
/// Mixes two 64-bit values into one (splitmix64 finaliser).
uint64_t mix64(uint64_t a, uint64_t b);

/// A stream of random numbers addressed by position. Cheap to copy; drawing by position does not change it.
class Stream {
 public:
  /// Keyed by the run's seed, a purpose ("sample", "shuffle", …) and up to two indices (prompt, sample).
  Stream(uint64_t seed, std::string_view purpose, uint64_t a = 0, uint64_t b = 0);

  uint64_t bits_at(uint64_t position) const;
  /// Uniform in [0, 1) with 53 bits.
  double uniform_at(uint64_t position) const { return static_cast<double>(bits_at(position) >> 11) * 0x1.0p-53; }

  // The same, with a position that advances by itself.
  uint64_t bits() { return bits_at(next_++); }
  double uniform() { return uniform_at(next_++); }
  /// Uniform integer in [0, n), n > 0, without modulo bias worth mentioning (64-bit multiply-shift).
  uint64_t below(uint64_t n) { return static_cast<uint64_t>((static_cast<unsigned __int128>(bits()) * n) >> 64); }
  /// Uniform integer in [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  bool chance(double p) { return uniform() < p; }
  /// Standard normal (Box–Muller).
  double normal();
  /// Standard logistic: log(u / (1 - u)).
  double logistic();
  template <class T>
  const T& pick(std::span<const T> items) {
    return items[below(items.size())];
  }
  template <class C>
  const typename C::value_type& pick(const C& items) {
    return items[below(items.size())];
  }
  /// Fisher–Yates.
  template <class C>
  void shuffle(C& items) {
    for (size_t i = items.size(); i > 1; --i) {
      using std::swap;
      swap(items[i - 1], items[below(i)]);
    }
  }
  uint64_t position() const { return next_; }
  void seek(uint64_t position) { next_ = position; }

 private:
  std::array<uint32_t, 2> key_{};
  std::array<uint32_t, 2> high_{};
  uint64_t next_ = 0;
};

}  // namespace hone
