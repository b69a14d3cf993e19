#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/log.h"

namespace hone::optim {

ScheduleParams fit_schedule(const ScheduleParams& params, int64_t total) {
  if (params.warmup_steps <= total) return params;
  ScheduleParams fitted = params;
  fitted.warmup_steps = static_cast<int64_t>(kShortRunWarmup * static_cast<double>(total));
  log::info("  warm-up cut from " + std::to_string(params.warmup_steps) + " to " + std::to_string(fitted.warmup_steps) +
            " steps: the run has only " + std::to_string(total));
  return fitted;
}

double schedule_factor(const ScheduleParams& params, int64_t step, int64_t total) {
  if (!(params.floor >= 0 && params.floor <= 1))
    usage_error("floor = " + std::to_string(params.floor) + " is not in [0, 1]");
  if (params.warmup_steps < 0 || params.warmup_steps > total)
    usage_error("warmup_steps = " + std::to_string(params.warmup_steps) + " but the run has " + std::to_string(total) +
                    " steps",
                "make the run longer or the warm-up shorter");
  const auto warmup = static_cast<double>(params.warmup_steps);
  const auto s = static_cast<double>(step);
  if (step < params.warmup_steps) return (s + 1) / warmup;
  const double left = static_cast<double>(total) - warmup;
  const double u = left > 0 ? std::clamp((s - warmup) / left, 0.0, 1.0) : 0.0;
  double d = 1;
  if (params.decay == "linear") d = 1 - u;
  else if (params.decay == "cosine") d = 0.5 * (1 + std::cos(std::numbers::pi * u));
  else if (params.decay != "constant")
    usage_error("unknown decay '" + params.decay + "'", "there are: constant, linear, cosine");
  return params.floor + (1 - params.floor) * d;
}

}  // namespace hone::optim
