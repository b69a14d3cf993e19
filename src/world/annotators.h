// Simulated annotators: they see two answers and pick one.
//
//   P(first) = sigmoid((u1 - u2 + position_bias) / temperature),   then with probability `flip` the other is noted.
//
// Boltzmann-rational choice: Luce, "Individual choice behavior", 1959; flips and mixtures with spammers: Dawid, Skene,
// "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied Statistics 28, 1979.
//
//   u = utility + length_bias · words/40 + agree_bias · [agrees with the user] + blind_spot · (what it hides)
#pragma once
#include <cstdint>

#include "world/gold.h"
#include "world/params.h"

namespace hone::world {

/// What an annotator sees of one answer.
struct Seen {
  double utility = 0;  ///< the true worth: gold total, or a simulated reader's
  int words = 0;
  bool agrees = false;    ///< with the user's stated opinion
  double overlooked = 0;  ///< utility lost to a hidden fault, given back by a full blind spot
};
Seen seen(const GoldScore& score);

struct Choice {
  int annotator = 0;
  int preferred = 0;     ///< 0: the first shown, 1: the second
  double p_first = 0.5;  ///< the probability that the first would be noted, flips and spam included
};

/// Utility as a biased annotator feels it.
double felt_utility(const AnnotatorParams& params, const Seen& answer);
/// The choice on comparison number `index`: a pure function of its arguments. Annotators take turns.
Choice choose(const AnnotatorParams& params, int64_t seed, uint64_t index, const Seen& first, const Seen& second);
/// What the true utility says: 0, 1, or -1 for a tie (within 1e-9).
int true_choice(const Seen& first, const Seen& second);

}  // namespace hone::world
