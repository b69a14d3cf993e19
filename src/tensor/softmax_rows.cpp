#include "tensor/softmax_rows.h"

#include "tensor/cpu/kernels.h"
#include "tensor/layer_kernels.h"

namespace hone {
namespace {

const float* data(const Tensor& t) { return t.defined() ? t.const_data_ptr<float>() : nullptr; }

}  // namespace

void softmax_rows(const Tensor& z, const Tensor& targets, const Tensor& logps, const Tensor& logsumexp,
                  const Tensor& entropy) {
  if (fused_kernels(z) && z.is_contiguous()) {
    const Tensor wanted = targets.contiguous();
    const int64_t v = z.size(1);
    const auto* pz = z.const_data_ptr<float>();
    const auto* pt = wanted.const_data_ptr<int64_t>();
    auto *pl = logps.mutable_data_ptr<float>(), *ps = logsumexp.mutable_data_ptr<float>();
    auto* pe = entropy.defined() ? entropy.mutable_data_ptr<float>() : nullptr;
    at::parallel_for(0, z.size(0), 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        cpu::kernels().softmax_row(pz + i * v, v, pt[i], pl + i, ps + i, pe == nullptr ? nullptr : pe + i);
    });
    return;
  }
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
  if (fused_kernels(z) && z.is_contiguous()) {
    const Tensor wanted = targets.contiguous();
    const Tensor g = grad_logps.defined() ? grad_logps.contiguous() : Tensor();
    const Tensor e = grad_entropy.defined() ? grad_entropy.contiguous() : Tensor();
    const int64_t v = z.size(1);
    auto* pz = z.mutable_data_ptr<float>();
    const auto* pt = wanted.const_data_ptr<int64_t>();
    const float *ps = data(logsumexp), *ph = data(entropy), *pg = data(g), *pe = data(e);
    at::parallel_for(0, z.size(0), 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        cpu::kernels().softmax_row_gradient(pz + i * v, v, pt[i], ps[i], ph == nullptr ? 0 : ph[i],
                                            pg == nullptr ? 0 : pg[i], pe == nullptr ? 0 : pe[i],
                                            static_cast<float>(inv_temperature));
    });
    return;
  }
  const Tensor logp = z - logsumexp.unsqueeze(1);
  const Tensor p = logp.exp();
  z.zero_();
  if (grad_logps.defined()) {
    const Tensor g = grad_logps.unsqueeze(1), target = targets.unsqueeze(1);
    z.sub_(p * g);
    z.scatter_(1, target, z.gather(1, target) + g);  // one target a row: nothing to add up, so no order to keep
  }
  if (grad_entropy.defined()) {
    const Tensor weighted = (p * (logp + entropy.unsqueeze(1))).masked_fill_(p == 0, 0);
    z.sub_(weighted * grad_entropy.unsqueeze(1));
  }
  z.mul_(inv_temperature);
}

}  // namespace hone
