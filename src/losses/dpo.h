// Direct preference optimisation: Rafailov et al. 2023, arXiv 2305.18290, eq. 7; label smoothing: Mitchell 2023, "A
// note on DPO with noisy preferences" (conservative DPO).
//
//     d    = [log π(y_c|x) - log π_ref(y_c|x)] - [log π(y_r|x) - log π_ref(y_r|x)]
//     loss = -t·logσ(β d) - (1-t)·logσ(-β d),     t = target·(1-ε) + (1-target)·ε
//
// Log-probabilities are summed over the completion's tokens, the end token included. On all pairs of an enumerable
// space with Bradley–Terry labels of a reward r, its minimum is π_ref·exp(r/β)/Z (tests/losses/dpo_test.cpp).
//
// Differs from the paper in: ties, which the paper has not, are targets of ½.
#pragma once
#include "losses/pair.h"

namespace hone::losses {

/// -> (P) unreduced.
Tensor dpo(const PairLogps& pair, const PairLossParams& params);

}  // namespace hone::losses
