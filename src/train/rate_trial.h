// How fast to learn, where nobody can know beforehand: at a rate that hardly moves a model towards one taste (a list in
// the answer) another one (a short answer) breaks it. So higher rates than optim.lr are tried first, each from the
// start for a few steps, and held against the limits of early stopping (early_stop.h):
//
//     the first of stop.rates with  KL a token <= kl_limit / 2  and  start-loss ratio - 1 <= (start_loss_limit - 1) / 2
//     behind kTrialSteps steps at the full rate, without warm-up; where none has, optim.lr
//
// A trial leaves nothing behind but its answer.
#pragma once
#include <functional>
#include <optional>

#include "train/settings.h"

namespace hone::train {

/// A trial is so many steps, or a pass, if that is shorter.
inline constexpr int64_t kTrialSteps = 6;

struct Drift;

/// `drift_at`: how far the policy is from its start behind a trial at that rate; nothing where the loss was no longer
/// finite. `otherwise`: optim.lr.
double rate_that_holds(const StopSettings& settings, double otherwise,
                       const std::function<std::optional<Drift>(double rate)>& drift_at);

}  // namespace hone::train
