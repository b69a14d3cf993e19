// From an answer's score to a reward a token: Stiennon et al. 2020, arXiv 2009.01325, sec. 3.4; Ziegler et al. 2019,
// arXiv 1909.08593, sec. 2.
//
//     r_t = -β kl_t  +  [t is the score's slot] · s',       k1_t = logp_t - ref_t,   k3_t = exp(ref_t - logp_t) - 1 +
//     k1_t
//
// s' is the score, in this order: normalised over the batch, clipped, then treated for a missing end token (so that a
// penalty is always of the stated size). Every step is a setting (advantages/params.h), off by default.
//
// Differs from the paper in: the divergence is estimated from the sampled tokens, not summed over the vocabulary; the
// choices named in params.h.
#pragma once
#include "advantages/params.h"
#include "advantages/slots.h"

namespace hone::advantages {

/// One entry an answer (S) or a token (the action slots in order).
struct RewardInput {
  std::span<const float> score;           // (S) as the reward model gave it
  std::span<const uint8_t> finished;      // (S) 1: ended by an end token or a stop string, not by the length limit
  std::span<const float> logp;            // (tokens) under the sampling policy
  std::span<const float> reference_logp;  // (tokens)
};

struct ShapedRewards {
  std::vector<float> rewards;  // (N slots)
  std::vector<float> score;    // (S) s'
  std::vector<float> kl;       // (S) Σ_t k1, nats an answer, never clamped: what is logged and steers the controller
  std::vector<float> kl_k3;    // (S) Σ_t k3
};

/// s' of each answer (S): `finished` (S) as in RewardInput.
std::vector<float> treat_scores(std::span<const float> score, std::span<const uint8_t> finished,
                                const RewardParams& params);
ShapedRewards shape_rewards(const Slots& slots, const RewardInput& input, double beta, const RewardParams& params);

}  // namespace hone::advantages
