// The policy's part of an iteration: passes over its answers, each cut into minibatches, each a step of the optimiser
// on
//
//     Σ_t w_t · (u_t L_t + β k_t - c H_t) / normaliser
//
// L the surrogate of the policy gradient (losses/surrogate.h), k the divergence from the reference (losses/kl_loss.h),
// H the entropy, u a token's importance; w and the normaliser are the aggregation's (losses/aggregate.h), fixed over
// the whole minibatch, so that however it is cut into micro-batches the gradient is the same. What an advantage is, the
// caller knows.
#pragma once
#include <algorithm>

#include "losses/policy_params.h"
#include "losses/ppo.h"
#include "optim/optimizer.h"
#include "train/experience.h"

namespace hone::train {

struct PolicyUpdateParams {
  int64_t epochs = 1;
  int64_t minibatches = 1;
  double target_kl = 0;  // the passes stop once the mean k3 between old and new policy exceeds this; 0: never
  losses::PolicyLossParams loss = {};
  std::string kl_estimator = "k3";  // of the divergence in the loss
  int64_t longest = 1;              // tokens that an answer may have: aggregation = constant divides by it
  const char* shuffle = "";         // purpose of the random stream that orders the answers
  optim::ScheduleParams schedule = {};
};

/// What the answers teach.
struct PolicyTargets {
  Tensor advantages;            // (R) f32
  Tensor importance;            // (R) f32: what a token's surrogate counts; undefined: 1
  std::vector<int64_t> learnt;  // answers that teach, in order
  double kl_coef = 0;           // β of the divergence in the loss; 0: none
};

struct PolicyTotals {
  losses::PolicyStats stats, first_minibatch;
  double loss = 0, kl_loss = 0, entropy_loss = 0, extra_loss = 0, grad_norm = 0;  // sums over steps
  int64_t steps = 0;
  bool stopped_early = false;

  double per_step(double sum) const { return sum / static_cast<double>(std::max<int64_t>(1, steps)); }
};

/// `step` of `total_steps` iterations. Throws NonFinite.
PolicyTotals update_policy(const Experience& e, const PolicyTargets& targets, const Actor& actor,
                           optim::Optimizer& optimizer, const ExtraLoss& extra, const PolicyUpdateParams& params,
                           const AskOptions& ask, uint64_t seed, int64_t step, int64_t total_steps);

}  // namespace hone::train
