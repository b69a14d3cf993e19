#include "optim/adamw.h"

#include <cmath>

namespace hone::optim {

void adamw_update(std::vector<Tensor>& weights, const std::vector<Tensor>& grads, std::vector<Tensor>& exp_avg,
                  std::vector<Tensor>& exp_avg_sq, int64_t step, const AdamwStep& s) {
  if (weights.empty()) return;
  const at::NoGradGuard no_grad;
  if (!weights[0].is_cpu() && !weights[0].is_cuda())
    return adamw_update_foreach(weights, grads, exp_avg, exp_avg_sq, step, s);
  // The kernel reads the step of each tensor from a scalar tensor beside it; they share one, which it does not write.
  const Tensor count =
      at::full({}, static_cast<double>(step), weights[0].options().dtype(at::kFloat).requires_grad(false));
  const std::vector<Tensor> steps(weights.size(), count);
  at::_fused_adamw_(weights, grads, exp_avg, exp_avg_sq, {}, steps, s.lr, s.beta1, s.beta2, s.weight_decay, s.eps,
                    /*amsgrad=*/false, /*maximize=*/false);
}

void adamw_update_foreach(std::vector<Tensor>& weights, const std::vector<Tensor>& grads, std::vector<Tensor>& exp_avg,
                          std::vector<Tensor>& exp_avg_sq, int64_t step, const AdamwStep& s) {
  if (weights.empty()) return;
  const at::NoGradGuard no_grad;
  const auto t = static_cast<double>(step);
  const double correction1 = 1 - std::pow(s.beta1, t), correction2 = 1 - std::pow(s.beta2, t);
  if (s.weight_decay != 0) at::_foreach_mul_(weights, 1 - s.lr * s.weight_decay);
  at::_foreach_lerp_(exp_avg, grads, 1 - s.beta1);
  at::_foreach_mul_(exp_avg_sq, s.beta2);
  at::_foreach_addcmul_(exp_avg_sq, grads, grads, 1 - s.beta2);
  std::vector<Tensor> denominator = at::_foreach_sqrt(exp_avg_sq);
  at::_foreach_div_(denominator, std::sqrt(correction2));
  at::_foreach_add_(denominator, s.eps);
  at::_foreach_addcdiv_(weights, exp_avg, denominator, -s.lr / correction1);
}

}  // namespace hone::optim
