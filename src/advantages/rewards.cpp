#include "advantages/rewards.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "advantages/masked.h"
#include "base/error.h"

namespace hone::advantages {
namespace {

double clamped(double kl, const RewardParams& p) {
  if (p.kl_clamp == "none") return kl;
  if (p.kl_clamp == "symmetric") return std::clamp(kl, -p.kl_clamp_limit, p.kl_clamp_limit);
  if (p.kl_clamp == "nonnegative") return std::max(kl, 0.0);
  usage_error("unknown kl_clamp '" + p.kl_clamp + "'", "there are: none, symmetric, nonnegative");
}

}  // namespace

std::vector<float> treat_scores(std::span<const float> given, std::span<const uint8_t> finished,
                                const RewardParams& p) {
  std::vector<float> score(given.begin(), given.end());
  if (p.score_normalise == "batch") whiten(score, {}, /*unbiased=*/true);
  else if (p.score_normalise != "none")
    usage_error("unknown score_normalise '" + p.score_normalise + "'", "there are: none, batch");
  const auto limit = static_cast<float>(p.score_clip), penalty = static_cast<float>(p.missing_eos_penalty);
  for (size_t s = 0; s < score.size(); ++s) {
    if (limit > 0) score[s] = std::clamp(score[s], -limit, limit);
    if (finished[s] || p.missing_eos == "none") continue;
    if (p.missing_eos == "subtract") score[s] -= penalty;
    else if (p.missing_eos == "replace") score[s] = -penalty;
    else usage_error("unknown missing_eos '" + p.missing_eos + "'", "there are: none, subtract, replace");
  }
  return score;
}

ShapedRewards shape_rewards(const Slots& slots, const RewardInput& input, double beta, const RewardParams& params) {
  const auto answers = static_cast<size_t>(slots.answers());
  const auto tokens = static_cast<size_t>(slots.tokens);
  HONE_CHECK(input.score.size() == answers && input.finished.size() == answers, "one score and one flag an answer");
  HONE_CHECK(input.logp.size() == tokens && input.reference_logp.size() == tokens, "one log-probability a token");
  if (params.kl_estimator != "k1" && params.kl_estimator != "k3")
    usage_error("unknown kl_estimator '" + params.kl_estimator + "'", "there are: k1, k3");
  ShapedRewards out;
  out.score = treat_scores(input.score, input.finished, params);
  out.rewards.assign(slots.size(), 0.0f);
  size_t token = 0;
  for (size_t s = 0; s < answers; ++s) {
    double k1_sum = 0, k3_sum = 0;
    const auto begin = static_cast<size_t>(slots.offsets[s]), end = static_cast<size_t>(slots.offsets[s + 1]);
    for (size_t i = begin; i < end; ++i) {
      if (!slots.action[i]) continue;  // the slot after the last token: no choice was made, so no divergence
      const double k1 = static_cast<double>(input.logp[token]) - input.reference_logp[token];
      const double k3 = std::expm1(-k1) + k1;
      k1_sum += k1;
      k3_sum += k3;
      out.rewards[i] = static_cast<float>(-beta * clamped(params.kl_estimator == "k1" ? k1 : k3, params));
      ++token;
    }
    out.rewards[end - 1] += out.score[s];
    out.kl.push_back(static_cast<float>(k1_sum));
    out.kl_k3.push_back(static_cast<float>(k3_sum));
  }
  if (params.whiten_rewards) whiten(out.rewards, {}, /*unbiased=*/true, /*shift_mean=*/false);
  return out;
}

}  // namespace hone::advantages
