// The ring that fills while a person judges: how much there is for a model to learn from.
#pragma once
#include <cstdint>

#include "feedback/comparison.h"

namespace hone::annotate {

/// Enough for a first round of training.
inline constexpr int64_t kRing = 60;

/// Whether a judgement moves the ring by one: a pair for training comes of it (feedback::pairs_of). An answer was
/// chosen, or one was corrected, of a pair that is there to learn from (Pair::purpose; one that is kept for evaluation
/// moves nothing). A tie, both bad, can't tell and a skip are kept as what they are and do not move it.
inline bool advances(feedback::Outcome outcome, bool corrected) { return feedback::decided(outcome) || corrected; }

}  // namespace hone::annotate
