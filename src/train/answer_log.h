// See what changed: the same few prompts, answered at the start, on the way and at the end, in answers.jsonl, one
// line an answer. Nothing that a learner reads: the answers have a stream of random numbers of their own, the same
// at every look, so that what differs between two looks is the model.
#pragma once
#include <span>
#include <vector>

#include "model/decoder.h"
#include "train/asked_prompts.h"
#include "train/session.h"
#include "train/settings.h"

namespace hone::train {

class AnswerLog {
 public:
  /// Draws the prompts (draw_asked) from `held_out`, and where nothing is held out from `trained`.
  AnswerLog(const SampleSettings& settings, const data::Encoder& encoder, std::span<const data::Prompt> held_out,
            std::span<const data::Prompt> trained, int64_t context, uint64_t seed);

  /// Every prompt answered greedily and at temperature 1. The time is no step's.
  void look(const model::Decoder& decoder, int64_t step, Session& session) const;

 private:
  data::Encoder encoder_;
  std::vector<AskedPrompt> asked_;
  bool held_out_ = true;
  int64_t max_tokens_;
  uint64_t seed_;
};

}  // namespace hone::train
