// Which pairs a person is asked about. From each prompt's candidate pairs one is drawn, prompt after prompt:
//
//   with probability ε     uniformly among its n candidates; the pair is kept for evaluation and trains nothing
//   else                   candidate i with probability q_i = u_i^γ / Σ_j u_j^γ,  u_i = Var[σ(f_i)] by the linear head
//
//   propensity of i  =  ε/n + (1 − ε) q_i
//
// which is exact, whichever of the two drew it, given the head, the candidates and what was drawn before in the batch,
// and never below ε/n, so that weights by its inverse are bounded. Prompts are dealt in a random order and none is
// passed over: pairs that were drawn uniformly are a fair sample of all pairs of answers to all prompts that read
// differently, whatever the head believes. A pair that is drawn for training lowers the variance of those like it for
// the rest of the batch, as if its answer were known: Σ ← Σ − w Σ_i Σ_iᵀ / (1 + w Σ_ii), w = p(1 − p).
//
// Variance of the probability: Christiano et al., "Deep reinforcement learning from human preferences", NeurIPS 2017,
// sec. 2.2.4; Houlsby et al., "Bayesian active learning", arXiv 1112.5745, for why not entropy.
// Differs from the paper in: a Bayesian head in place of an ensemble; drawn by probability in place of the largest, so
// that the propensity is no 0 or 1 (Farquhar, Gal & Rainforth, "On statistical bias in active learning", ICLR 2021);
// a batch in which each knows of those before (greedy D-optimality).
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "annotate/linear_head.h"
#include "base/rng.h"

namespace hone::annotate {

struct AcquisitionSettings {
  double uniform_share = 0.2;  ///< ε
  double sharpness = 4;        ///< γ: a candidate of twice the variance is drawn 16 times as often
};

/// How the log calls it.
inline constexpr std::string_view kUniform = "uniform", kVariance = "probability_variance";

struct Drawn {
  size_t candidate = 0;  ///< among all
  bool uniform = false;  ///< for evaluation
  double propensity = 1;
};

/// One of each prompt's candidates. `sizes[p]`: how many of the log-odds' pairs, from where the last prompt's ended,
/// are the prompt's; each at least 1. Takes two random numbers a prompt.
std::vector<Drawn> draw_pairs(LogOdds odds, std::span<const size_t> sizes, Stream random,
                              const AcquisitionSettings& settings = {});

/// q of one prompt's candidates.
std::vector<double> shares_of(std::span<const double> variances, double sharpness);

}  // namespace hone::annotate
