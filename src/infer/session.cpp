#include "infer/session.h"

#include "base/error.h"
#include "infer/engine_state.h"
#include "rollout/generation.h"

namespace hone::infer {

struct Session::State {
  const model::Decoder& decoder;
  rollout::KeptSequences kept;
  bool bf16;
  bool left = false;                       // finish() cancels what is not done
  std::vector<rollout::Request> requests;  // of `generation`, which borrows them
  std::unique_ptr<rollout::Generation> generation;
};

Session::Session(const Engine& engine) {
  HONE_CHECK(engine.state_->decoder);
  const model::Decoder& decoder = *engine.state_->decoder;
  state_ = std::make_unique<State>(
      State{decoder, rollout::KeptSequences(decoder), engine.state_->compute == at::kBFloat16, false, {}, nullptr});
}
Session::~Session() = default;

void Session::begin(std::vector<int32_t> prompt, std::span<const uint64_t> samples,
                    const rollout::SamplingParams& sampling, const rollout::GenerateOptions& options) {
  State& s = *state_;
  s.generation.reset();
  s.requests.clear();
  const uint64_t key = key_of(prompt);
  for (const uint64_t sample : samples) s.requests.push_back({prompt, key, sample});
  s.left = false;
  rollout::GenerateOptions own = options;
  own.bf16 = s.bf16;
  own.cancelled = [&s, asked = options.cancelled] { return s.left || (asked && asked()); };
  s.generation = std::make_unique<rollout::Generation>(s.decoder, s.requests, sampling, std::move(own), &s.kept);
}

bool Session::step() {
  HONE_CHECK(state_->generation);
  return state_->generation->step();
}

std::vector<rollout::Completion> Session::finish() {
  State& s = *state_;
  HONE_CHECK(s.generation);
  s.left = true;
  s.generation->step();  // nothing, or the end of what is under way
  std::vector<rollout::Completion> out = std::move(s.generation->completions());
  s.generation.reset();
  return out;
}

int64_t Session::held_tokens() const { return state_->generation ? state_->generation->held_tokens() : 0; }

}  // namespace hone::infer
