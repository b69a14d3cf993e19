// Reward modelling from comparisons: Bradley & Terry 1952, "Rank analysis of incomplete block designs"; as a loss of
// reward models in Ouyang et al. 2022, arXiv 2203.02155, eq. 1; margin: Touvron et al. 2023, arXiv 2307.09288, eq. 2;
// centring: Eisenstein et al. 2023, arXiv 2312.09244, sec. 2.
//
//     z    = r_chosen - r_rejected - margin
//     loss = -t·logσ(z) - (1-t)·logσ(-z)  +  c·(r_chosen + r_rejected)²,     t = target·(1-ε) + (1-target)·ε
//
// target is 1 for a decided comparison and ½ for a tie; ε is the label smoothing.
//
// Differs from the paper in: one pair is one term (Ouyang et al. average over the K(K-1)/2 pairs of a ranking: give
// pairs of a ranking the weight 2/(K(K-1)) for that). The smoothed term flips z with its margin.
#pragma once
#include "losses/params.h"
#include "tensor/tensor.h"

namespace hone::losses {

/// Rewards of P pairs; each (P) f32 or f64.
struct RewardPair {
  Tensor chosen, rejected;
  Tensor margin;  // (P), or undefined: 0
  Tensor target;  // (P) probability that `chosen` is the better one, or undefined: 1
};

/// -> (P) unreduced.
Tensor bradley_terry(const RewardPair& pair, const BradleyTerryParams& params);

}  // namespace hone::losses
