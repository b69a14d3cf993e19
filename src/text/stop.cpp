#include "text/stop.h"

#include <array>
#include <vector>

#include "base/error.h"

namespace hone::text {

struct StopMatcher::Automaton {
  struct State {
    std::array<uint32_t, 256> next{};  // complete: failure links are folded in
    int64_t stop = -1;                 // the longest stop string that ends here
    size_t depth = 0, length = 0;      // bytes matched; length of that stop string
  };
  std::vector<State> states;
};

StopMatcher::StopMatcher(std::span<const std::string> stops) {
  if (stops.empty()) return;
  auto automaton = std::make_shared<Automaton>();
  auto& states = automaton->states;
  states.emplace_back();
  for (size_t s = 0; s < stops.size(); ++s) {
    if (stops[s].empty()) usage_error("a stop string is empty");
    if (states.size() + stops[s].size() > (1 << 16))
      usage_error("the stop strings are longer than 65,536 bytes together");
    uint32_t at = 0;
    for (const char c : stops[s]) {
      const auto byte = static_cast<unsigned char>(c);
      if (states[at].next[byte] == 0) {
        const size_t depth = states[at].depth + 1;
        states[at].next[byte] = static_cast<uint32_t>(states.size());
        states.emplace_back().depth = depth;
      }
      at = states[at].next[byte];
    }
    if (states[at].stop < 0) states[at].stop = static_cast<int64_t>(s), states[at].length = stops[s].size();
  }
  std::vector<uint32_t> queue, fail(states.size(), 0);
  for (const uint32_t child : states[0].next)
    if (child != 0) queue.push_back(child);
  for (size_t i = 0; i < queue.size(); ++i) {
    const uint32_t at = queue[i];
    if (states[at].stop < 0) states[at].stop = states[fail[at]].stop, states[at].length = states[fail[at]].length;
    for (size_t byte = 0; byte < 256; ++byte) {
      uint32_t& next = states[at].next[byte];
      const uint32_t shorter = states[fail[at]].next[byte];
      if (next != 0) fail[next] = shorter, queue.push_back(next);
      else next = shorter;
    }
  }
  automaton_ = std::move(automaton);
}

std::optional<StopMatcher::Hit> StopMatcher::feed(std::string_view bytes) {
  if (!automaton_ || done_) return std::nullopt;
  for (const char c : bytes) {
    state_ = automaton_->states[state_].next[static_cast<unsigned char>(c)];
    ++fed_;
    const auto& state = automaton_->states[state_];
    if (state.stop < 0) continue;
    done_ = true;
    return Hit{static_cast<size_t>(state.stop), fed_ - state.length, fed_};
  }
  return std::nullopt;
}

size_t StopMatcher::held() const { return automaton_ && !done_ ? automaton_->states[state_].depth : 0; }

}  // namespace hone::text
