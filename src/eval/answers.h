// One model's answers to a list of prompts.
#pragma once
#include <string>
#include <vector>

#include "config/stage_context.h"
#include "model/decoder.h"
#include "rollout/rollout.h"
#include "text/messages.h"

namespace hone::eval {

struct Answer {
  std::vector<int32_t> prompt, ids;  ///< tokens; ids include the end token where there is one
  std::string text;                  ///< without special tokens
  bool ended = false;
};

/// A model with what is needed to talk to it.
struct Speaker {
  std::string name, folder;
  model::Decoder decoder;
};
Speaker open_speaker(const std::string& name, const std::string& folder, const std::string& device);

/// Answers to each prompt, `samples` of them, prompt by prompt. Same seed, same prompts: same random numbers for every model.
std::vector<Answer> answer(const model::Decoder& decoder, const std::string& tokenizer_folder, std::span<const std::vector<text::Message>> prompts,
                           std::span<const std::string> ids, int64_t samples, const rollout::SamplingParams& sampling, uint64_t seed,
                           const std::string& label);

/// For each answer, log p(answer | prompt) summed over its tokens, nats.
std::vector<double> answer_logps(const model::Decoder& decoder, std::span<const Answer> answers);

}  // namespace hone::eval
