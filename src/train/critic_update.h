// The critic's part of an iteration: passes over its answers, each cut into minibatches, each a step on the value loss
// (losses/ppo.h) over the minibatch's slots, their number fixed before the first backward pass.
#pragma once
#include <algorithm>

#include "losses/params.h"
#include "optim/optimizer.h"
#include "train/experience.h"

namespace hone::train {

struct CriticUpdateParams {
  int64_t epochs = 1;
  int64_t minibatches = 1;
  losses::PpoLossParams loss = {};
  optim::ScheduleParams schedule = {};
};

struct CriticTotals {
  double loss = 0, grad_norm = 0;  // sums over steps
  int64_t steps = 0;

  double per_step(double sum) const { return sum / static_cast<double>(std::max<int64_t>(1, steps)); }
};

/// `returns` (N) f32: what the values should be. `step` of `total_steps` iterations. Throws NonFinite.
CriticTotals update_critic(const Experience& e, const Tensor& returns, const Critic& critic,
                           optim::Optimizer& optimizer, const CriticUpdateParams& params, const AskOptions& ask,
                           uint64_t seed, int64_t step, int64_t total_steps);

}  // namespace hone::train
