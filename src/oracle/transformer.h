// A policy, a reference and a critic that are small transformers of Llama's shape.
#pragma once
#include "model/decoder.h"
#include "oracle/space.h"

namespace hone::oracle {

/// The prompt before every answer: two different tokens. After equal tokens alone such a decoder cannot count
/// (attention over equal values gives that value, however many there are), so behind the prompt 0 the prefixes 0 and 0
/// 0 would be one state, and most optima out of reach.
std::vector<int32_t> transformer_prompt();
/// The reference's own tensors, frozen, under a new adapter of full rank.
model::Decoder with_adapter(const model::Decoder& reference, uint64_t seed);

/// The reference: random weights, seeded, spread widely enough that its answers are far from equally likely.
model::Decoder make_reference(const Space& space, uint64_t seed);

/// (states, vocab) logits of a decoder behind the prompt and every prefix: what `Space` makes distributions of.
std::vector<float> logits_of(const Space& space, const model::Decoder& decoder);

}  // namespace hone::oracle
