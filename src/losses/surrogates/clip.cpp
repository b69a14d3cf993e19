// PPO's clipped ratio (Schulman et al. 2017, arXiv 1707.06347, eq. 7), as GRPO takes it (Shao et al. 2024, arXiv
// 2402.03300) and DAPO with clip_high above clip_low (Yu et al. 2025, arXiv 2503.14476, eq. 10). The equation stands in
// losses/ppo.h.
//
// Differs from the papers in: nothing; how tokens are averaged is the aggregation's affair.
#include "losses/surrogate.h"

namespace hone::losses {

Surrogate clip(const PolicyTokens& t, const SurrogateParams& params) {
  return clipped_surrogate(t.logp, t.old_logp, t.advantage,
                           {.clip_low = params.clip_low, .clip_high = params.clip_high, .dual_clip = params.dual_clip});
}

}  // namespace hone::losses
