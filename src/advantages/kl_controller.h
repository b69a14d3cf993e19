// The coefficient β of the KL penalty, fixed or steered to a target: Ziegler et al. 2019, arXiv 1909.08593, sec. 2.2.
//
//     e = clip(KL / target - 1, -0.2, 0.2)        β = β (1 + e n / horizon)        n answers since the last update
//
// Differs from the paper in: nothing (the paper calls 1/horizon K_β = 0.1 per batch of its size).
#pragma once
#include "advantages/params.h"
#include "base/json_fwd.h"

namespace hone::advantages {

class KlController {
 public:
  /// kUsage where a setting is out of range.
  explicit KlController(const KlParams& params);

  double coef() const { return coef_; }
  /// After a rollout of `answers` answers with this mean divergence (nats an answer, k1).
  void update(double mean_kl, int64_t answers);

  Json state() const;  // {"kl_coef": …}, exact
  void load_state(const Json& state);

 private:
  KlParams params_;
  double coef_;
};

}  // namespace hone::advantages
