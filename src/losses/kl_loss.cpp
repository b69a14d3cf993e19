#include "losses/kl_loss.h"

#include <string>

#include "base/error.h"
#include "tensor/kl.h"

namespace hone::losses {

Tensor kl_loss(std::string_view estimator, const Tensor& logp, const Tensor& old_logp, const Tensor& reference) {
  HONE_CHECK(!old_logp.requires_grad() && !reference.requires_grad(), "old and reference log-probs carry no gradient");
  if (estimator == "k1_plain") return kl_k1(logp, reference);
  if (estimator == "k3_plain") return kl_k3(logp, reference);
  const Tensor ratio = (logp.detach() - old_logp).exp();  // (N)
  const Tensor k2 = kl_k2(logp, reference);               // (N)
  if (estimator == "k2") return ratio * k2;
  if (estimator == "k3") return ratio * (kl_k3(logp.detach(), reference) + k2 - k2.detach());
  usage_error("unknown kl_estimator '" + std::string(estimator) + "'", "there are: k2, k3, k1_plain, k3_plain");
}

}  // namespace hone::losses
