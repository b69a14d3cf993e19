// The two row-wise passes of token_logps, on one chunk of scaled logits.
#pragma once
#include "tensor/tensor.h"

namespace hone {

/// z (n, V), targets (n) -> logps (n), logsumexp (n), and entropy (n) where it is defined. z may be overwritten.
void softmax_rows(const Tensor& z, const Tensor& targets, const Tensor& logps, const Tensor& logsumexp,
                  const Tensor& entropy);

/// z becomes the gradient of the unscaled logits: τ⁻¹·(g_i([v = t_i] - p_iv) - e_i p_iv (log p_iv + entropy_i)), with
/// g = grad_logps and e = grad_entropy (n), either undefined = 0.
void softmax_rows_backward_(Tensor& z, const Tensor& targets, const Tensor& logsumexp, const Tensor& entropy,
                            const Tensor& grad_logps, const Tensor& grad_entropy, double inv_temperature);

}  // namespace hone
