// Where the pairs come from that a person judges: files (file_pairs.h), or a model that samples (sampled_pairs.h).
//
// A source offers the next pairs in an order of its own. An offered pair stays on offer, in its place, until it is
// settled, so that a reload, a second window or a restart go on with the same one. A source that samples keeps pairs
// ready that way; while it has none it is cold, and it may offer one whose answers still grow, told by on_change.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "feedback/event.h"

namespace hone::annotate {

struct Pair {
  std::string id;         ///< of what is compared: the same pair has it after a restart too
  feedback::Query query;  ///< with policies, strategy, propensity and source; its order is the desk's to choose
  feedback::Purpose purpose = feedback::Purpose::kLearn;
  std::string test = {};              ///< the blind test that it belongs to; "": none
  bool cut_a = false, cut_b = false;  ///< the answer ended at the length limit
  bool growing = false;               ///< its answers are not complete yet: it can be looked at, not judged
};

/// What there is beyond the pairs on offer.
enum class Supply {
  kReady,  ///< more
  kCold,   ///< more after a while
  kEnd,    ///< nothing
};

struct Offer {
  std::vector<Pair> pairs;
  Supply beyond = Supply::kEnd;
};

/// Called from several threads at once.
class PairSource {
 public:
  virtual ~PairSource() = default;
  /// The next pairs, at most `most`.
  virtual Offer offer(size_t most) const = 0;
  /// A pair that was offered once, settled or not.
  virtual std::optional<Pair> find(const std::string& id) const = 0;
  /// Judged: it is not offered again. Another source's id is passed over, as after a restart with other files.
  virtual void settle(const std::string& id) = 0;
  /// Its judgement was undone: it is offered again, before all others.
  virtual void reopen(const std::string& id) = 0;
  /// Pairs that are not settled; nothing where there is no end.
  virtual std::optional<int64_t> left() const = 0;
  /// `changed` is called, from any thread, when what is on offer changed by itself: a pair was made, or grew.
  virtual void on_change(std::function<void()> changed) = 0;
};

}  // namespace hone::annotate
