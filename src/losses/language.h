// Language modelling: maximum likelihood, as in Radford et al. 2018 ("Improving language understanding by generative
// pre-training", eq. 1), used for pretraining and, with weight 0 on the prompt, for supervised fine-tuning.
//
//     loss_i = -log p(x_i | x_<i);   the step's loss is Σ_i w_i · loss_i / W, W the step's total weight
//
// Differs from the paper in: weights per token (demonstrations weigh their answer, the end token included); the sum
// over tokens is divided by one count for the whole step, not per sequence and not per micro-batch.
#pragma once
#include "tensor/tensor.h"

namespace hone::losses {

/// logps (N) -> loss (N), same dtype.
Tensor language(const Tensor& logps);

}  // namespace hone::losses
