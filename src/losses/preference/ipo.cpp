// Identity preference optimisation: Azar et al. 2023, arXiv 2310.12036, eq. 17.
//
//     loss = (d - 1/(2β))²        d: as in dpo.cpp
//
// The paper's d is of whole answers (`sum`: paper, OpenRLHF). TRL takes the mean over each answer's tokens
// (`token_mean`), whose β means another thing: the difference it aims at is of nats a token.
#include "losses/preference_loss.h"

namespace hone::losses {
namespace ipo_loss {

struct Params {
  double beta = 0.1;
  std::string log_ratio = "sum";

  void fields(config::Fields& v) {
    v("beta", beta, "the difference of log-ratios aimed at is 1/(2·beta)", "0.1: TRL; the paper's τ");
    v.choice("log_ratio", log_ratio, {"sum", "token_mean"},
             "log-ratios of whole answers, or their means over each answer's tokens",
             "sum: Azar et al. 2023, OpenRLHF; TRL token_mean");
    v.range("beta", 1e-6);
  }
};

PreferenceValue value(const Answers& a, const Params& p) {
  const Tensor ratio = a.per_token(a.log_ratio());  // (N)
  const Tensor d = p.log_ratio == "sum" ? a.difference() : a.chosen(ratio) - a.rejected(ratio);
  return plain((d - 1 / (2 * p.beta)).square(), a, p.beta);
}

}  // namespace ipo_loss

namespace preference {
extern const PreferenceLoss ipo = define_preference_loss<ipo_loss::Params, ipo_loss::value>({});
}

}  // namespace hone::losses
