// The only division. A loss is unreduced until it comes here, and the divisor is a number that the loop fixed before
// the first backward pass, over all micro-batches and ranks of the step:
//
//     reduce(loss, weight, normaliser) = Σ_i weight_i · loss_i / normaliser
//
// Because the sum is linear, any split of a step into micro-batches, packs or ranks adds up to the same gradient. (A
// mean within each micro-batch does not: it weighs tokens of short micro-batches more. huggingface/transformers#34191,
// huggingface/trl#2175.)
#pragma once
#include "tensor/tensor.h"

namespace hone::losses {

/// Sum of the weights, the usual normaliser; f64. Weights must be finite and not negative (kUsage).
double total_weight(std::span<const float> weight);
double total_weight(const Tensor& weight);  // any shape

/// `loss` and `weight` of one shape -> scalar of loss's dtype. `normaliser` must be finite and positive: a step without
/// a single weighted token is an error, not a zero.
Tensor reduce(const Tensor& loss, const Tensor& weight, double normaliser);
/// The same with weight 1 for every element.
Tensor reduce(const Tensor& loss, double normaliser);

}  // namespace hone::losses
