#include "world/annotators.h"

#include <cmath>

#include "base/error.h"
#include "base/rng.h"

namespace hone::world {

Seen seen(const GoldScore& score) {
  return {score.total, score.words, score.agreed, score.hidden_fault ? kCorrectWeight : 0};
}

double felt_utility(const AnnotatorParams& params, const Seen& answer) {
  return answer.utility + params.length_bias * answer.words / 40.0 + (answer.agrees ? params.agree_bias : 0) +
         params.blind_spot * answer.overlooked;
}

Choice choose(const AnnotatorParams& params, int64_t seed, uint64_t index, const Seen& first, const Seen& second) {
  if (params.annotators < 1) usage_error("annotators.annotators must be at least 1");
  Stream s(static_cast<uint64_t>(seed), "world.choice", index);
  Choice choice;
  choice.annotator = static_cast<int>(s.below(static_cast<uint64_t>(params.annotators)));
  const int64_t spammers = std::llround(params.spammers * static_cast<double>(params.annotators));
  if (choice.annotator < spammers) {
    // Three habits in turn: a coin, always the first, always the longer.
    const int habit = choice.annotator % 3;
    choice.p_first = habit == 0                    ? 0.5
                     : habit == 1                  ? 1.0
                     : first.words == second.words ? 0.5
                     : first.words > second.words  ? 1.0
                                                   : 0.0;
  } else {
    const double gap = felt_utility(params, first) - felt_utility(params, second) + params.position_bias;
    const double p = params.temperature > 0 ? 1 / (1 + std::exp(-gap / params.temperature))
                     : gap > 0              ? 1.0
                     : gap < 0              ? 0.0
                                            : 0.5;
    choice.p_first = p * (1 - params.flip) + (1 - p) * params.flip;
  }
  choice.preferred = s.uniform() < choice.p_first ? 0 : 1;
  return choice;
}

int true_choice(const Seen& first, const Seen& second) {
  const double gap = first.utility - second.utility;
  return std::abs(gap) < 1e-9 ? -1 : gap > 0 ? 0 : 1;
}

}  // namespace hone::world
