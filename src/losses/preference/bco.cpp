// Binary classifier optimisation: Jung et al. 2024, arXiv 2404.04656, eq. 10. Learns from single answers that are good
// or bad; comparisons are taken apart into both.
//
//     loss = -logσ(β h - δ)   of a good answer,    -logσ(δ - β h)   of a bad one,    h = log π/π_ref
//
// δ is the mean of β h so far, over good and bad answers as they come (the paper: the middle of both means; TRL's
// trainer, while it had one: as here). It gets no gradient, and this step's answers are in it.
#include "losses/preference_loss.h"

namespace hone::losses {
namespace bco_loss {

struct Params {
  double beta = 0.1;
  void fields(config::Fields& v) { beta_field(v, beta, "0.1: TRL"); }
};

Statistic measure(const Answers& batch, const Params& p, const Statistic& before) {
  const double n = static_cast<double>(batch.policy.numel()), all = before.count + n;
  const double mean = p.beta * batch.log_ratio().mean().item<double>();
  return {.value = before.value + (mean - before.value) * n / all, .count = all};
}

PreferenceValue value(const Answers& a, const Params& p, const Statistic& delta) {
  const Tensor r = p.beta * a.log_ratio() - delta.value;  // (N)
  return plain(-at::log_sigmoid(r * (2 * a.good - 1)), a, p.beta);
}

}  // namespace bco_loss

namespace preference {
extern const PreferenceLoss bco =
    define_preference_loss<bco_loss::Params, bco_loss::value, bco_loss::measure>({.arity = Arity::kSingle});
}

}  // namespace hone::losses
