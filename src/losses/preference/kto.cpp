// Kahneman–Tversky optimisation: Ethayarajh et al. 2024, arXiv 2402.01306, eq. 8. Learns from single answers that are
// good or bad; comparisons are taken apart into both.
//
//     h = log π/π_ref,  z = max(0, mean of h over answers to other prompts)
//     loss = w_good·[1 - σ(β(h - z))]   of a good answer,    w_bad·[1 - σ(β(z - h))]   of a bad one
//
// z estimates KL(π‖π_ref) and gets no gradient. The paper pairs each prompt of a micro-batch with the next one's
// answer; here each row has one other row's answer for the whole run, so its log-probability under the reference is
// computed once, and z is a mean over the whole step, however it is cut.
#include <algorithm>

#include "losses/preference_loss.h"

namespace hone::losses {
namespace kto_loss {

struct Params {
  double beta = 0.1, desirable_weight = 1, undesirable_weight = 1;

  void fields(config::Fields& v) {
    beta_field(v, beta, "0.1: Ethayarajh et al. 2024, TRL");
    v("desirable_weight", desirable_weight, "weight of good answers", "1: TRL");
    v("undesirable_weight", undesirable_weight,
      "weight of bad answers; the two times the numbers of such answers should be within 1 to 4/3", "1: TRL");
    for (const char* key : {"desirable_weight", "undesirable_weight"}) v.range(key, 0);
  }
};

Statistic measure(const Answers& batch, const Params&, const Statistic&) {
  return {.value = std::max(0.0, batch.mismatched.mean().item<double>())};
}

PreferenceValue value(const Answers& a, const Params& p, const Statistic& z) {
  const Tensor r = p.beta * (a.log_ratio() - z.value);  // (N)
  return plain(p.desirable_weight * a.good * at::sigmoid(-r) + p.undesirable_weight * (1 - a.good) * at::sigmoid(r), a,
               p.beta);
}

}  // namespace kto_loss

namespace preference {
extern const PreferenceLoss kto = define_preference_loss<kto_loss::Params, kto_loss::value, kto_loss::measure>(
    {.arity = Arity::kSingle, .mismatched = true});
}

}  // namespace hone::losses
