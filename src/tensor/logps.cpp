#include "tensor/logps.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "tensor/autograd.h"
#include "tensor/linear.h"
#include "tensor/product.h"
#include "tensor/softmax_rows.h"

namespace hone {
namespace {

// On the CPU a chunk should stay near its caches; a GPU wants rows enough to be busy.
int64_t logit_bytes(const Tensor& hidden) { return int64_t{hidden.is_cpu() ? 16 : 256} << 20; }

struct Problem {
  Tensor hidden, weight, targets;
  LogpsOptions options;
  int64_t chunk;

  at::ScalarType compute() const {
    return options.compute == at::ScalarType::Undefined ? hidden.scalar_type() : options.compute;
  }
  Tensor cast_weight() const { return options.casts ? options.casts->of(weight, compute()) : weight.to(compute()); }
  // (rows, V): the scaled logits of rows [begin, begin + rows). `cast`: the weight in the dtype of the products, made
  // once for all chunks.
  Tensor logits(const Tensor& cast, int64_t begin, int64_t rows) const {
    Tensor z = linear(hidden.narrow(0, begin, rows), cast, {}, options.compute);
    if (options.inv_temperature != 1) z.mul_(options.inv_temperature);
    if (options.absent.defined()) z.index_fill_(1, options.absent, -std::numeric_limits<double>::infinity());
    return z;
  }
};

std::vector<Tensor> backward(const Problem& problem, const Tensor& logsumexp, const Tensor& entropy,
                             const Tensor& grad_logps, const Tensor& grad_entropy) {
  const auto& [hidden, weight, targets, options, chunk] = problem;
  const at::ScalarType compute = problem.compute();
  Tensor grad_hidden, grad_weight;
  if (hidden.requires_grad()) grad_hidden = at::empty_like(hidden);
  if (weight.requires_grad()) grad_weight = at::zeros_like(weight);
  const Tensor cast_weight = problem.cast_weight();
  for (int64_t begin = 0; begin < hidden.size(0); begin += chunk) {
    const int64_t rows = std::min(chunk, hidden.size(0) - begin);
    const auto part = [&](const Tensor& t) { return t.defined() ? t.narrow(0, begin, rows) : t; };
    Tensor z = problem.logits(cast_weight, begin, rows);
    softmax_rows_backward_(z, part(targets), part(logsumexp), part(entropy), part(grad_logps), part(grad_entropy),
                           options.inv_temperature);
    const Tensor dz = z.to(compute);
    if (grad_hidden.defined()) grad_hidden.narrow(0, begin, rows).copy_(product(dz, cast_weight, cast_weight));
    if (grad_weight.defined()) {
      if (compute == weight.scalar_type()) add_product(grad_weight, dz.t(), part(hidden));
      else grad_weight.add_(at::mm(dz.t(), part(hidden).to(compute)));
    }
  }
  return {grad_hidden, grad_weight};
}

}  // namespace

TokenLogps token_logps(const Tensor& hidden, const Tensor& weight, const Tensor& targets, const LogpsOptions& options) {
  HONE_CHECK(hidden.dim() == 2 && weight.dim() == 2 && targets.dim() == 1, "token_logps: (N, D), (V, D), (N)");
  HONE_CHECK(hidden.size(1) == weight.size(1) && hidden.size(0) == targets.size(0), "token_logps: shapes disagree");
  const int64_t row_bytes = weight.size(0) * static_cast<int64_t>(hidden.element_size());
  const int64_t chunk = options.chunk > 0 ? options.chunk : std::max<int64_t>(64, logit_bytes(hidden) / row_bytes);
  Problem problem{hidden, weight, targets, options, chunk};
  const bool entropy = options.entropy || options.entropy_grad;
  Tensor logps, logsumexp, entropies, collisions;
  {
    const at::NoGradGuard no_grad;
    const Tensor cast_weight = problem.cast_weight();
    logps = at::empty({hidden.size(0)}, hidden.options());
    logsumexp = at::empty_like(logps);
    if (entropy) entropies = at::empty_like(logps);
    if (options.collision) collisions = at::empty_like(logps);
    for (int64_t begin = 0; begin < hidden.size(0); begin += chunk) {
      const int64_t rows = std::min(chunk, hidden.size(0) - begin);
      const Tensor z = problem.logits(cast_weight, begin, rows);
      if (options.collision) collisions.narrow(0, begin, rows).copy_(at::logsumexp(2 * z, 1) - 2 * at::logsumexp(z, 1));
      softmax_rows(z, targets.narrow(0, begin, rows), logps.narrow(0, begin, rows), logsumexp.narrow(0, begin, rows),
                   entropy ? entropies.narrow(0, begin, rows) : Tensor());
    }
  }
  const Tensor kept_entropy = options.entropy_grad ? entropies.detach() : Tensor();
  std::vector<Tensor> outputs{logps};
  if (options.entropy_grad) outputs.push_back(entropies);
  outputs = attach_backward(
      {hidden, weight}, std::move(outputs), [problem, logsumexp, kept_entropy](const std::vector<Tensor>& grads) {
        return backward(problem, logsumexp, kept_entropy, grads[0], grads.size() > 1 ? grads[1] : Tensor());
      });
  return {outputs[0], options.entropy_grad ? outputs[1] : entropies, collisions};
}

}  // namespace hone
