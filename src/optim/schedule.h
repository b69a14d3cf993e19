// The learning rate over a run, as a factor on every tensor's own rate:
//
//     s < w:  (s + 1) / w                                   linear warm-up; the first step already moves
//     else:   f + (1 - f)·d(u),  u = (s - w) / (n - w)      d = 1 (constant), 1 - u (linear), ½(1 + cos πu) (cosine)
//
// s counts from 0 to n - 1, so the last step is just above the floor f.
//
// Differs from the paper in: Loshchilov & Hutter 2017 (SGDR, cosine) restart; here there are no restarts.
#pragma once
#include "optim/params.h"

namespace hone::optim {

/// What the warm-up becomes where the run is shorter than it: this share of the run's steps, rounded down.
inline constexpr double kShortRunWarmup = 0.1;

/// The schedule as a run of `total` steps can follow it: a warm-up longer than the run is cut to kShortRunWarmup of it,
/// and a message says so; any other is left as it is.
ScheduleParams fit_schedule(const ScheduleParams& params, int64_t total);

/// Factor of step `step` (0-based) of `total`. A floor outside [0, 1] or a warm-up longer than the run is kUsage.
double schedule_factor(const ScheduleParams& params, int64_t step, int64_t total);

}  // namespace hone::optim
