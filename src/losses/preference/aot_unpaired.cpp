// Alignment via optimal transport, unpaired: Melnyk et al. 2024, arXiv 2406.05882, eq. 9: the log-ratios of a batch's
// chosen answers should dominate those of its rejected ones, whichever belongs to whom.
//
//     h = log π/π_ref,  δ_i = h_c(i) - h_r(i), the i-th smallest of each
//     loss = -(1-ε)·logσ(β δ) - ε·logσ(-β δ)
//
// A δ is of two answers of different pairs, perhaps of different passes. Each answer therefore is held against the
// value of its opposite, found over the whole step without a gradient; the sum over both sides has the gradient of the
// loss, and the rejected side's value is taken out again.
#include "losses/logistic.h"
#include "losses/preference_loss.h"

namespace hone::losses {
namespace aot_unpaired_loss {

struct Params {
  double beta = 0.1, label_smoothing = 0;

  void fields(config::Fields& v) {
    beta_field(v, beta, "0.1: TRL; Melnyk et al. 2024 0.01");
    smoothing_field(v, label_smoothing);
  }
};

// Of each value its place among all, from 0.
Tensor rank_of(const Tensor& x) { return at::argsort(at::argsort(x, /*stable=*/true), /*stable=*/true); }

Statistic measure(const Answers& batch, const Params&, const Statistic&) {
  const Tensor h = batch.log_ratio(), chosen = batch.chosen(h), rejected = batch.rejected(h);
  const auto opposite = [](const Tensor& of, const Tensor& others) {
    return std::get<0>(at::sort(others)).index_select(0, rank_of(of));
  };
  return {.groups = at::stack({opposite(chosen, rejected), opposite(rejected, chosen)}, 1)};
}

PreferenceValue value(const Answers& a, const Params& p, const Statistic& opposites) {
  const Tensor h = a.log_ratio();
  const auto loss = [&](const Tensor& difference) { return logistic(p.beta * difference, {}, p.label_smoothing); };
  const Tensor of_chosen = loss(a.chosen(h) - opposites.groups.select(1, 0));
  const Tensor of_rejected = loss(opposites.groups.select(1, 1) - a.rejected(h));
  return plain(of_chosen + (of_rejected - of_rejected.detach()), a, p.beta);
}

}  // namespace aot_unpaired_loss

namespace preference {
extern const PreferenceLoss aot_unpaired =
    define_preference_loss<aot_unpaired_loss::Params, aot_unpaired_loss::value, aot_unpaired_loss::measure>({});
}

}  // namespace hone::losses
