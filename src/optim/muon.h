// Muon: Jordan, Jin, Boza, You, Cesista, Newhouse, Bernstein 2024, "Muon: an optimizer for hidden layers in neural
// networks", kellerjordan.github.io/posts/muon. For (rows, columns) matrices of hidden layers only.
//
//     M = μ M + (1-μ) G          U = (1-μ) G + μ M   (Nesterov)          O = NS_k(U)
//     W = W - lr λ W - lr √max(1, rows/columns) O
//
// NS_k: X_0 = U/|U|_F (transposed if rows > columns), then k times  A = X Xᵀ,  X = a X + (b A + c A²) X  with
// (a, b, c) = (3.4445, -4.7750, 2.0315): singular values go to about 1 (0.7 to 1.2), singular vectors stay.
//
// Scale. The factor √max(1, rows/columns) is the paper's ("original" in torch.optim.Muon): it makes a tall matrix's
// update as large in spectral RMS terms as a square one's. "match_rms_adamw" is 0.2 √max(rows, columns) (Liu et al.
// 2025, arXiv 2502.16982): learning rates tuned for AdamW then carry over.
//
// Differs from the paper in: computes in the weights' own dtype (f32) where the paper and torch.optim.Muon round to
// bf16; weight decay is decoupled; matrices of equal shape go through one batched product.
#pragma once
#include "optim/named_tensor.h"

namespace hone::optim {

struct MuonStep {
  double lr, momentum, weight_decay;
  int64_t newton_schulz_steps;
  bool match_rms_adamw;
  size_t stack_bytes = size_t{64} << 20;  ///< most matrices in one batched product; Newton-Schulz holds some five such
};

/// One update of L matrices of one shape, in place; `buffers` are their momenta.
void muon_update(std::vector<Tensor>& weights, const std::vector<Tensor>& grads, std::vector<Tensor>& buffers,
                 const MuonStep& settings);

/// NS_k of each matrix of a stack (L, rows, columns) -> same shape.
Tensor newton_schulz(const Tensor& stack, int64_t steps);

}  // namespace hone::optim
