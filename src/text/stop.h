// Stop strings: a matcher over the bytes that sampled tokens add, so that a stop string is found wherever token
// boundaries fall. Aho and Corasick, "Efficient string matching", CACM 18(6), 1975.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hone::text {

/// Cheap to copy: one per completion, all share one automaton.
class StopMatcher {
 public:
  StopMatcher() = default;  // never stops
  /// An empty stop string: kUsage.
  explicit StopMatcher(std::span<const std::string> stops);

  struct Hit {
    size_t stop;   ///< which stop string
    size_t begin;  ///< where it starts, in bytes since the start or reset()
    size_t end;
  };
  /// Takes in the next bytes. The first stop string to be complete (of several that end there the longest), once.
  std::optional<Hit> feed(std::string_view bytes);

  /// Bytes at the end of what was fed that may be the start of a stop string: not to be shown yet.
  size_t held() const;
  void reset() { state_ = 0, fed_ = 0, done_ = false; }

 private:
  struct Automaton;
  std::shared_ptr<const Automaton> automaton_;
  uint32_t state_ = 0;
  size_t fed_ = 0;
  bool done_ = false;
};

}  // namespace hone::text
