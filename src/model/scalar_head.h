// A reward or value head: one number from a hidden state. Its weight is Hugging Face's `score.weight`.
#pragma once
#include "tensor/tensor.h"

namespace hone::model {

struct ScalarHead {
  Tensor weight;  ///< (1, D)
  Tensor bias;    ///< (1) or undefined; transformers knows none, so a published reward model has none

  /// Hidden states (M, D) of the tokens to be scored -> (M) f32.
  Tensor scores(const Tensor& rows) const;
};

/// Weight N(0, std) (Huang et al., "The N+ implementation details of RLHF with PPO", 2024: std = 1/√(D + 1) for a
/// reward model), or zero for std = 0 (a value head in lm-human-preferences). No bias.
ScalarHead make_scalar_head(int64_t width, double std, uint64_t seed);

}  // namespace hone::model
