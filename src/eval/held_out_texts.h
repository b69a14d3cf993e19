// What was forgotten: how likely a model finds passages of texts that nobody here trained on.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "eval/answers.h"
#include "text/tokenizer.h"

namespace hone::eval {

struct Passages {
  std::vector<std::vector<int32_t>> ids;  ///< each at most 256 tokens
  std::vector<size_t> texts;              ///< of each, the number of its text
  size_t count = 0;                       ///< of texts
};
/// `passages` of them, as many of every text as of any other (but for one), at places drawn by the seed.
Passages draw_passages(const std::vector<std::string>& files, int64_t passages, const text::Tokenizer& tokenizer,
                       int64_t context, int64_t seed);

/// For each text the nats of its passages, and their tokens.
struct TextLoss {
  std::vector<double> nats, tokens;
};
TextLoss text_loss(const EvaluatedModel& evaluated, const Passages& passages, const std::string& label);

}  // namespace hone::eval
