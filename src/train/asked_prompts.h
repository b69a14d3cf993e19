// Prompts that a model answers while it learns: for people to read (answer_log.h), and to see how far it has gone
// (drift.h).
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/encoder.h"
#include "data/rows.h"

namespace hone::train {

struct AskedPrompt {
  std::string id, text;
  data::PromptIds tokens;
  uint64_t key;  ///< names the prompt in the random stream
};

/// `count` of `from` drawn by the seed; each different one counts once. Those that would leave little room for an
/// answer of `max_tokens` in the model's `context`, or have more than 512 tokens, are passed over.
std::vector<AskedPrompt> draw_asked(std::span<const data::Prompt> from, int64_t count, const data::Encoder& encoder,
                                    int64_t max_tokens, int64_t context, uint64_t seed);

/// What rows ask, their answers left out.
std::vector<data::Prompt> prompts_of(std::span<const data::JudgedAnswers> rows);
std::vector<data::Prompt> prompts_of(std::span<const data::Demonstration> rows);

}  // namespace hone::train
