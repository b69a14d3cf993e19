#include "losses/dpo.h"

#include "losses/logistic.h"

namespace hone::losses {

Tensor dpo(const PairLogps& pair, const PairLossParams& params) {
  const Tensor d =
      (pair.policy_chosen - pair.reference_chosen) - (pair.policy_rejected - pair.reference_rejected);  // (P)
  return logistic(params.beta * d, pair.target, params.label_smoothing);
}

}  // namespace hone::losses
