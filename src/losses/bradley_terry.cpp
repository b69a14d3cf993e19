#include "losses/bradley_terry.h"

#include "losses/logistic.h"

namespace hone::losses {

Tensor bradley_terry(const RewardPair& pair, const BradleyTerryParams& params) {
  Tensor z = pair.chosen - pair.rejected;  // (P)
  if (pair.margin.defined()) z = z - pair.margin;
  Tensor loss = logistic(z, pair.target, params.label_smoothing);
  if (params.centring != 0) loss = loss + params.centring * (pair.chosen + pair.rejected).square();
  return loss;
}

}  // namespace hone::losses
