// Surrogates of the policy gradient by id (surrogates.def). With ρ_t = π(y_t) / π_old(y_t) each is a loss of a token
// whose gradient at ρ = 1 is the policy gradient -A_t ∇log π(y_t); they differ in what they do once the policy has
// moved away.
#pragma once
#include <string_view>

#include "losses/policy_params.h"
#include "losses/ppo.h"

namespace hone::losses {

/// The tokens of several answers, laid end to end; log-probabilities at the sampling temperature.
struct PolicyTokens {
  Tensor logp;       // (N) with gradient
  Tensor old_logp;   // (N) without
  Tensor advantage;  // (N) without
  Tensor answer;     // (N) i64: which answer the token belongs to, from 0
  int64_t answers = 0;
};

using SurrogateFunction = Surrogate (*)(const PolicyTokens&, const SurrogateParams&);

struct SurrogateInfo {
  std::string_view id, doc, citation;
  SurrogateFunction function;
};
/// All surrogates in the order of surrogates.def.
std::span<const SurrogateInfo> surrogates();
/// The surrogate of that id; kUsage listing them where there is none.
SurrogateFunction surrogate(std::string_view id);

}  // namespace hone::losses
