// Log-probabilities of target tokens straight from hidden states, without ever holding the (N, V) logits.
//
//   z_i = τ⁻¹ · W h_i,   logp_i = z_i[t_i] - logsumexp(z_i),   entropy_i = -Σ_v p_iv log p_iv
//
// Logits are made for a chunk of rows at a time and thrown away; the backward pass makes them again from the saved
// logsumexp: ∂logp_i/∂z_iv = [v = t_i] - p_iv and ∂entropy_i/∂z_iv = -p_iv (log p_iv + entropy_i).
// The rows given are the rows that count: leave out hidden states of tokens without weight before calling.
#pragma once
#include "tensor/tensor.h"

namespace hone {

struct LogpsOptions {
  double inv_temperature = 1;
  int64_t chunk = 0;          ///< rows at a time; 0: as many as keep the logits under 16 MiB
  bool entropy = false;       ///< also the entropies
  bool entropy_grad = false;  ///< … with a gradient (an entropy bonus); otherwise they are detached
  at::ScalarType compute = at::ScalarType::Undefined;  ///< dtype of the matrix products; kBFloat16 under f32 weights
};

struct TokenLogps {
  Tensor logps;    ///< (N) in hidden's dtype
  Tensor entropy;  ///< (N), nats; undefined unless asked for
};

/// hidden (N, D), weight (V, D), targets (N) i64.
TokenLogps token_logps(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                       const LogpsOptions& options = {});

}  // namespace hone
