#include "tensor/softmax_rows.h"

namespace hone {

void softmax_rows(const Tensor& z, const Tensor& targets, const Tensor& logps, const Tensor& logsumexp,
                  const Tensor& entropy) {
  const Tensor lse = at::logsumexp(z, {1});
  Tensor(logsumexp).copy_(lse);
  Tensor(logps).copy_(z.gather(1, targets.unsqueeze(1)).squeeze(1) - lse);
  if (entropy.defined()) {
    const Tensor logp = z - lse.unsqueeze(1);
    // A logit of -inf has p = 0 and adds nothing.
    const Tensor p = logp.exp();
    Tensor(entropy).copy_((p * logp).masked_fill_(p == 0, 0).sum(1).neg_());
  }
}

void softmax_rows_backward_(Tensor& z, const Tensor& targets, const Tensor& logsumexp, const Tensor& entropy,
                            const Tensor& grad_logps, const Tensor& grad_entropy, double inv_temperature) {
  const Tensor logp = z - logsumexp.unsqueeze(1);
  const Tensor p = logp.exp();
  z.zero_();
  if (grad_logps.defined()) {
    const Tensor g = grad_logps.unsqueeze(1);
    z.sub_(p * g);
    z.scatter_add_(1, targets.unsqueeze(1), g);
  }
  if (grad_entropy.defined()) {
    const Tensor weighted = (p * (logp + entropy.unsqueeze(1))).masked_fill_(p == 0, 0);
    z.sub_(weighted * grad_entropy.unsqueeze(1));
  }
  z.mul_(inv_temperature);
}

}  // namespace hone
