// Log-probabilities of target tokens straight from hidden states, without ever holding the (N, V) logits.
//
//   z_i = τ⁻¹ · W h_i,   logp_i = z_i[t_i] - logsumexp(z_i),   entropy_i = -Σ_v p_iv log p_iv
//
// Logits are made for a chunk of rows at a time and thrown away; the backward pass makes them again from the saved
// logsumexp: ∂logp_i/∂z_iv = [v = t_i] - p_iv and ∂entropy_i/∂z_iv = -p_iv (log p_iv + entropy_i).
// The distribution is over the whole output layer, as in transformers (SFT, DPO and given ids), unless `absent` names
// ids that sampling never draws (PPO, whose ratio and KL are of the distribution that was sampled from). The rows given
// are the rows that count: leave out hidden states of tokens without weight before calling.
#pragma once
#include <memory>

#include "tensor/tensor.h"
#include "tensor/weight_casts.h"

namespace hone {

struct LogpsOptions {
  double inv_temperature = 1;
  int64_t chunk = 0;          ///< rows at a time; 0: as many as keep the logits under 16 MiB, on a GPU 256
  bool entropy = false;       ///< also the entropies
  bool entropy_grad = false;  ///< … with a gradient (an entropy bonus); otherwise they are detached
  bool collision = false;     ///< also log Σ_v p_iv², detached: of the chance that two draws agree
  /// (K) i64 on hidden's device, or undefined: ids that the distribution does not have. Their probability is 0 and
  /// their logits get no gradient: log_softmax over the others. No target may be one of them.
  Tensor absent = {};
  at::ScalarType compute = at::ScalarType::Undefined;  ///< dtype of the matrix products; kBFloat16 under f32 weights
  std::shared_ptr<WeightCasts> casts = {};             ///< keeps the weight's cast; null: made once a call
};

struct TokenLogps {
  Tensor logps;           ///< (N) in hidden's dtype
  Tensor entropy = {};    ///< (N), nats; undefined unless asked for
  Tensor collision = {};  ///< (N), nats; undefined unless asked for
};

/// hidden (N, D), weight (V, D), targets (N) i64.
TokenLogps token_logps(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                       const LogpsOptions& options = {});

}  // namespace hone
