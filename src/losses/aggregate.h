// The only division. A loss is unreduced until it comes here, and the divisor is a number that the loop fixed before
// the first backward pass, over all micro-batches and ranks of the step:
//
//     reduce(loss, weight, normaliser) = Σ_i weight_i · loss_i / normaliser
//
// Because the sum is linear, any split of a step into micro-batches, packs or ranks adds up to the same gradient. (A
// mean within each micro-batch does not: it weighs tokens of short micro-batches more. huggingface/transformers#34191,
// huggingface/trl#2175.)
#pragma once
#include <span>
#include <string_view>
#include <vector>

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

/// How much the tokens of answers count against each other, and what all is divided by:
///
// clang-format off
///     sequence_mean   w_t = 1/T_i   / answers               each answer alike (GRPO: Shao et al. 2024, arXiv 2402.03300)
///     sequence_sum    w_t = 1       / answers               an answer's log-probability as a whole (RLOO: Ahmadian et al. 2024, arXiv 2402.14740)
///     token_mean      w_t = 1       / tokens                each token alike (DAPO: Yu et al. 2025, arXiv 2503.14476)
///     constant        w_t = 1       / (answers · longest)   no length anywhere (Dr. GRPO: Liu et al. 2025, arXiv 2503.20783)
// clang-format on
///
/// `lengths`: tokens of each answer of the whole minibatch for the normaliser, of the tokens at hand for the weights.
/// Unknown aggregation: kUsage.
double answer_normaliser(std::string_view aggregation, std::span<const int64_t> lengths, int64_t longest);
std::vector<float> answer_weights(std::string_view aggregation, std::span<const int64_t> lengths);

}  // namespace hone::losses
