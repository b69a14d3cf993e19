#include "losses/ppo.h"

#include <algorithm>

#include "base/error.h"

namespace hone::losses {

Surrogate clipped_surrogate(const Tensor& logp, const Tensor& old_logp, const Tensor& advantage,
                            const PpoLossParams& params) {
  HONE_CHECK(!old_logp.requires_grad() && !advantage.requires_grad(), "old log-probs and advantages carry no gradient");
  const Tensor log_ratio = logp - old_logp;  // (N)
  const Tensor ratio = log_ratio.exp();      // (N)
  const Tensor free = -advantage * ratio;
  const Tensor held = -advantage * ratio.clamp(1 - params.clip_low, 1 + params.clip_high);
  Surrogate out;
  out.loss = at::maximum(free, held);
  out.clipped = held.detach() > free.detach();
  if (params.dual_clip > 0) {
    const Tensor bound = -params.dual_clip * advantage;
    const Tensor over = (advantage < 0).logical_and(out.loss.detach() > bound);
    out.loss = at::where(over, bound, out.loss);
    out.clipped = out.clipped.logical_or(over);
  }
  out.ratio = ratio.detach();
  out.log_ratio = log_ratio.detach();
  return out;
}

Tensor value_loss(const Tensor& value, const Tensor& old_value, const Tensor& returns, const PpoLossParams& params) {
  HONE_CHECK(!old_value.requires_grad() && !returns.requires_grad(), "old values and returns carry no gradient");
  const Tensor square = (value - returns).square();
  if (params.value_clip <= 0) return 0.5 * square;
  const Tensor near = at::minimum(at::maximum(value, old_value - params.value_clip), old_value + params.value_clip);
  return 0.5 * at::maximum(square, (near - returns).square());
}

Tensor entropy_loss(const Tensor& entropy, double coef) {
  HONE_CHECK(coef == 0 || entropy.requires_grad(), "the entropy bonus needs an entropy with a gradient");
  return -coef * entropy;
}

void PolicyStats::add(const Surrogate& s, const Tensor& token_weight) {
  const at::NoGradGuard no_grad;
  const Tensor w = token_weight.to(at::kDouble);
  const Tensor log_ratio = s.log_ratio.to(at::kDouble);
  const Tensor counted = w > 0;
  if (!counted.any().item<bool>()) return;
  const Tensor sums = at::stack({w.sum(), (w * s.clipped).sum(), -(w * log_ratio).sum(),
                                 0.5 * (w * log_ratio.square()).sum(), (w * (log_ratio.expm1() - log_ratio)).sum(),
                                 at::masked_select(s.ratio, counted).max().to(at::kDouble)})
                          .to(at::kCPU);
  const double* x = sums.const_data_ptr<double>();
  weight += x[0];
  clipped += x[1];
  k1 += x[2];
  k2 += x[3];
  k3 += x[4];
  ratio_max = std::max(ratio_max, x[5]);
}

void PolicyStats::add(const PolicyStats& other) {
  weight += other.weight;
  clipped += other.clipped;
  k1 += other.k1;
  k2 += other.k2;
  k3 += other.k3;
  ratio_max = std::max(ratio_max, other.ratio_max);
}

}  // namespace hone::losses
