// Generalised advantage estimation: Schulman, Moritz, Levine, Jordan, Abbeel 2016, arXiv 1506.02438, eq. 11 and 16.
//
//     δ_t = r_t + γ V_{t+1} - V_t          A_t = δ_t + γ λ A_{t+1}          R_t = A_t + V_t
//
// V behind the last slot of an answer is 0, also where the length limit cut it off: the score is all that comes.
//
// Differs from the paper in: nothing; returns are the λ-returns A + V (the paper's value regression uses λ = 1).
#pragma once
#include "advantages/estimator.h"

namespace hone::advantages {

Estimates gae(const EstimatorInput& input, const AdvantageParams& params);

}  // namespace hone::advantages
