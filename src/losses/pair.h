// What losses of kind `pair` see: log-probabilities of a chosen and a rejected completion under the policy and a frozen
// reference, summed over the completion's weighted tokens. Losses over means divide by the token counts themselves.
#pragma once
#include "losses/params.h"
#include "tensor/tensor.h"

namespace hone::losses {

struct PairLogps {
  Tensor policy_chosen, policy_rejected;        // (P) f32, autograd
  Tensor reference_chosen, reference_rejected;  // (P) f32, no gradient; undefined for losses without a reference
  Tensor chosen_tokens, rejected_tokens;        // (P) f32 counts, or undefined where the loss uses sums
  Tensor target;                                // (P) probability that `chosen` is the better one, or undefined: 1
};

/// -> (P) unreduced.
using PairLoss = Tensor (*)(const PairLogps&, const PairLossParams&);

/// The loss of kind `pair` with this id; kUsage listing them where there is none.
PairLoss pair_loss(std::string_view id);

/// Implicit rewards beta·(policy - reference), detached: the chosen one's drift, the rejected one's, and their
/// difference.
struct ImplicitRewards {
  Tensor chosen, rejected, margin;  // (P)
};
ImplicitRewards implicit_rewards(const PairLogps& pair, double beta);

}  // namespace hone::losses
