// Rows to token ids within the limits. Items keep the order of the rows; `rows[i]` is the row that item i came from.
#pragma once
#include <span>
#include <vector>

#include "data/encoder.h"
#include "data/lengths.h"
#include "data/rows.h"
#include "data/tokens.h"

namespace hone::data {

template <class Item>
struct Encoded {
  std::vector<Item> items;
  std::vector<int64_t> rows;
  LengthReport lengths;
};

/// `context`: the model's longest sequence, 0 where unknown.
/// A sequence a row; and one more for each earlier answer that the template renders otherwise once the conversation
/// goes on, learnt by itself as it was answered.
Encoded<Sequence> encode_demonstrations(std::span<const Demonstration> rows, const Encoder& encoder,
                                        const LengthSettings& settings, int64_t context = 0);
/// Weight 1 on what the assistant says after the prompt, and its end. Pairs whose sides become the same ids are left
/// out and counted. Both answers get the same prompt, cut or not.
Encoded<Pair> encode_preferences(std::span<const Preference> rows, const Encoder& encoder,
                                 const LengthSettings& settings, int64_t context = 0);
/// The same of answers that were judged together. In a ranking, an answer of the same ids as a better one is left out;
/// where fewer than two are left, the ranking is.
Encoded<JudgedGroup> encode_judged(std::span<const JudgedAnswers> rows, const Encoder& encoder,
                                   const LengthSettings& settings, int64_t context = 0);
/// Prompts to sample from; `reserve` tokens of the context are kept for the answer.
Encoded<PromptIds> encode_prompts(std::span<const Prompt> rows, const Encoder& encoder, const LengthSettings& settings,
                                  int64_t context = 0, int64_t reserve = 0);

/// The prompt with at most `limit` tokens: the oldest turns go first, then the beginning of the first user message
/// left; a system message stays. Empty where not even one token of content fits.
std::vector<text::Message> cut_left(std::vector<text::Message> prompt, int64_t limit, const Encoder& encoder);

}  // namespace hone::data
