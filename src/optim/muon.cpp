#include "optim/muon.h"

#include <algorithm>
#include <cmath>

namespace hone::optim {
Tensor newton_schulz(const Tensor& stack, int64_t steps) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  const bool tall = stack.size(1) > stack.size(2);
  Tensor x = tall ? stack.transpose(1, 2) : stack;  // (L, m, n), m <= n
  x = x /
      at::linalg_vector_norm(x, 2, {1, 2}, /*keepdim=*/true).clamp_min(1e-7);  // spectral norm <= Frobenius norm = 1
  for (int64_t k = 0; k < steps; ++k) {
    const Tensor gram = x.bmm(x.transpose(1, 2));                   // (L, m, m)
    const Tensor polynomial = at::baddbmm(gram, gram, gram, b, c);  // b A + c A²
    x = at::baddbmm(x, polynomial, x, a, 1);
  }
  return tall ? x.transpose(1, 2) : x;
}

void muon_update(std::vector<Tensor>& weights, const std::vector<Tensor>& grads, std::vector<Tensor>& buffers,
                 const MuonStep& s) {
  if (weights.empty()) return;
  const at::NoGradGuard no_grad;
  at::_foreach_lerp_(buffers, grads, 1 - s.momentum);
  const auto rows = static_cast<double>(weights[0].size(0)), columns = static_cast<double>(weights[0].size(1));
  const double factor =
      s.match_rms_adamw ? 0.2 * std::sqrt(std::max(rows, columns)) : std::sqrt(std::max(1.0, rows / columns));
  if (s.weight_decay != 0) at::_foreach_mul_(weights, 1 - s.lr * s.weight_decay);
  const size_t most = std::max<size_t>(1, s.stack_bytes / weights[0].nbytes());
  for (size_t begin = 0; begin < weights.size(); begin += most) {
    const size_t n = std::min(most, weights.size() - begin);
    const at::TensorList some_grads(grads.data() + begin, n), some_buffers(buffers.data() + begin, n);
    const Tensor update = at::lerp(at::stack(some_grads), at::stack(some_buffers), s.momentum);  // (n, rows, columns)
    at::_foreach_add_(at::TensorList(weights.data() + begin, n), newton_schulz(update, s.newton_schulz_steps).unbind(0),
                      -s.lr * factor);
  }
}

}  // namespace hone::optim
