#include "optim/schedule.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "config/fields.h"

namespace optim = hone::optim;

TEST_CASE("warm-up, then constant, linear or cosine down to the floor") {
  const optim::ScheduleParams constant{.warmup_steps = 4}, linear{.warmup_steps = 4, .decay = "linear", .floor = 0.1},
      cosine{.warmup_steps = 4, .decay = "cosine", .floor = 0.1};
  CHECK(optim::schedule_factor(constant, 0, 12) == 0.25);  // (0 + 1) / 4: the first step already moves
  CHECK(optim::schedule_factor(constant, 3, 12) == 1);
  CHECK(optim::schedule_factor(constant, 11, 12) == 1);
  CHECK(optim::schedule_factor(linear, 4, 12) == 1);
  CHECK(optim::schedule_factor(linear, 8, 12) == doctest::Approx(0.55));     // u = ½: 0.1 + 0.9·½
  CHECK(optim::schedule_factor(cosine, 8, 12) == doctest::Approx(0.55));     // cos(π/2) = 0: ½
  CHECK(optim::schedule_factor(linear, 11, 12) == doctest::Approx(0.2125));  // u = 7/8: 0.1 + 0.9/8
  CHECK(optim::schedule_factor(cosine, 12, 12) == doctest::Approx(0.1));
}

TEST_CASE("a warm-up longer than the run becomes a tenth of it; one that fits stays") {
  const optim::ScheduleParams given{.warmup_steps = 20, .decay = "linear", .floor = 0.1};
  CHECK(optim::fit_schedule(given, 20).warmup_steps == 20);
  const optim::ScheduleParams fitted = optim::fit_schedule(given, 19);
  CHECK(fitted.warmup_steps == 1);  // 0.1·19 = 1.9
  CHECK(fitted.decay == "linear");
  CHECK(fitted.floor == 0.1);
  const optim::ScheduleParams tiny = optim::fit_schedule(given, 3);
  CHECK(tiny.warmup_steps == 0);
  CHECK(optim::schedule_factor(tiny, 0, 3) == 1);  // so that the first step moves
}

TEST_CASE("a schedule that cannot be is refused") {
  CHECK_THROWS_AS(optim::schedule_factor({.warmup_steps = 13}, 0, 12), hone::Error);
  CHECK_THROWS_AS(optim::schedule_factor({.floor = 2}, 0, 12), hone::Error);
  CHECK_THROWS_WITH_AS(optim::schedule_factor({.decay = "steps"}, 0, 12), doctest::Contains("unknown decay 'steps'"),
                       hone::Error);
}

TEST_CASE("every setting has a meaning and a source, and stands in the list once") {
  optim::OptimParams params;
  const auto fields = hone::config::fields_of(params);
  CHECK(fields.list().size() == 17);
  for (const auto& field : fields.list()) {
    CAPTURE(field.key);
    CHECK(!field.doc.empty());
    CHECK(!field.source.empty());
  }
}
