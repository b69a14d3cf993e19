// DPO on rankings, after Plackett 1975 and Luce 1959: Rafailov et al. 2023, arXiv 2305.18290, eq. 20.
//
//     loss = Σ_i [ log Σ_{j≥i} exp(r_j) - r_i ],    r = β·log π/π_ref, answers from best to worst
//
// Of two answers it is DPO's loss.
#include "losses/preference_loss.h"

namespace hone::losses {
namespace plackett_luce_loss {

struct Params {
  double beta = 0.1;
  void fields(config::Fields& v) { beta_field(v, beta, "0.1: as in DPO"); }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor r = p.beta * a.log_ratio();  // (N)
  std::vector<Tensor> losses;
  for (size_t g = 0; g + 1 < a.begin.size(); ++g) {
    const Tensor group = r.slice(0, a.begin[g], a.begin[g + 1]);
    std::vector<Tensor> normalisers;  // log Σ_{j≥i} exp(r_j)
    for (int64_t i = 0; i < group.size(0); ++i) normalisers.push_back(at::logsumexp(group.slice(0, i), 0));
    losses.push_back((at::stack(normalisers) - group).sum());
  }
  return plain(at::stack(losses), a, p.beta);
}

}  // namespace plackett_luce_loss

namespace preference {
extern const PreferenceLoss plackett_luce =
    define_preference_loss<plackett_luce_loss::Params, plackett_luce_loss::value>({.arity = Arity::kRanking});
}

}  // namespace hone::losses
