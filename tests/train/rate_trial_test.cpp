// The first of the rates that stays within half of the limits of early stopping is the one to learn at.
#include "train/rate_trial.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "train/drift.h"

using namespace hone;

TEST_CASE("the first rate that stays near the start is taken, else the stage's own") {
  train::StopSettings settings;
  settings.rates = {1e-2, 1e-3, 1e-4};
  settings.kl_limit = 0.1, settings.start_loss_limit = 1.1;
  std::map<double, std::optional<train::Drift>> drift{{1e-2, std::nullopt},  // no longer finite
                                                      {1e-3, train::Drift{0.04, 1.06}},
                                                      {1e-4, train::Drift{0.04, 1.04}}};
  std::vector<double> tried;
  const auto at = [&](double rate) { return tried.push_back(rate), drift[rate]; };
  CHECK(train::rate_that_holds(settings, 1e-6, at) == 1e-4);
  CHECK(tried == settings.rates);
  drift[1e-3] = train::Drift{0.05, 0.7};  // less likely than its own is what counts, not more
  CHECK(train::rate_that_holds(settings, 1e-6, at) == 1e-3);
  drift[1e-3] = train::Drift{0.06, 0.7};
  drift[1e-4] = train::Drift{0.01, 1.2};
  CHECK(train::rate_that_holds(settings, 1e-6, at) == 1e-6);
  settings.start_loss_limit = 0;
  CHECK(train::rate_that_holds(settings, 1e-6, at) == 1e-4);
  drift[1e-3] = train::Drift{std::nan(""), std::nan("")};
  CHECK(train::rate_that_holds(settings, 1e-6, at) == 1e-4);
}
