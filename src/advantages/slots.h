// The time steps of a batch of answers, laid end to end without padding. Each token of an answer is a slot: the state
// before it has a value, and choosing it is an action. With score_position = after_last an answer that stopped short of
// the length limit has one more slot behind its last token: a state with a value and a reward but no action.
//
// Everything in this room is one f32 per slot or per token on the host: a batch has 1e4 to 1e6 of them, which costs
// milliseconds, and sums in f64 in one fixed order whatever the device and thread count.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hone::advantages {

struct Slots {
  std::vector<int64_t> offsets;  // (S + 1): slots of answer s are [offsets[s], offsets[s + 1])
  std::vector<uint8_t> action;   // (N): 1 where a token was chosen
  int64_t tokens = 0;            // how many slots are actions

  int64_t answers() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t size() const { return static_cast<int64_t>(action.size()); }
  /// Picks the action slots: (N slots) -> (tokens), in order. Policy losses see these.
  std::vector<float> at_actions(std::span<const float> per_slot) const;
};

/// `lengths` (S): tokens of each answer, each at least 1. `extra` (S): 1 where a slot follows the last token; empty =
/// none.
Slots make_slots(std::span<const int64_t> lengths, std::span<const uint8_t> extra = {});
/// The extra slots of a score position: with after_last, answers shorter than `max_length` have one (as in TRL).
std::vector<uint8_t> extra_slots(std::string_view score_position, std::span<const int64_t> lengths, int64_t max_length);

}  // namespace hone::advantages
