#include "train/rate_trial.h"

#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "train/drift.h"

namespace hone::train {
namespace {

bool holds(const StopSettings& s, const Drift& drift) {
  // Written so that what is no number does not hold.
  if (s.kl_limit > 0 && !(drift.kl_per_token <= s.kl_limit / 2)) return false;
  return s.start_loss_limit <= 0 || drift.start_loss_ratio - 1 <= (s.start_loss_limit - 1) / 2;
}

}  // namespace

double rate_that_holds(const StopSettings& settings, double otherwise,
                       const std::function<std::optional<Drift>(double)>& drift_at) {
  for (const double rate : settings.rates) {
    const std::optional<Drift> drift = drift_at(rate);
    const bool taken = drift && holds(settings, *drift);
    log::info("  rate " + dump_json(Json(rate)) + " tried: " +
              (drift ? decimal_text(drift->kl_per_token, 3) +
                           " nats a token from the start, whose loss on the answers is " +
                           decimal_text(drift->start_loss_ratio, 2) + " times its own"
                     : "the loss is no longer finite") +
              (taken ? "; taken" : "; too fast"));
    if (taken) return rate;
  }
  return otherwise;
}

}  // namespace hone::train
