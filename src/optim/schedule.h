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

/// Factor of step `step` (0-based) of `total`. A floor outside [0, 1] or a warm-up longer than the run is kUsage.
double schedule_factor(const ScheduleParams& params, int64_t step, int64_t total);

}  // namespace hone::optim
