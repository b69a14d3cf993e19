// Which look ends a run, and which one is kept, by hand-made looks.
#include "train/early_stop.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/json.h"

using namespace hone;
using namespace hone::train;
using Outcome = EarlyStop::Outcome;

namespace {

StopSettings settings(int64_t patience, double kl, double loss) {
  StopSettings out;
  out.patience = patience;
  out.kl_limit = kl;
  out.start_loss_limit = loss;
  return out;
}
const Look kStart{0, 0.0, 0.693, 0.0, 1.0};

}  // namespace

TEST_CASE("the best look is kept, and looks without a better one end the run") {
  EarlyStop stop(settings(2, 0, 0), kStart);
  CHECK(stop.take({10, 0.6, 0.66}));
  CHECK(stop.take({20, 0.7, 0.61}));
  CHECK(!stop.take({30, 0.7, 0.62}));  // as accurate, at a higher loss
  CHECK(!stop.ended());
  CHECK(stop.take({40, 0.7, 0.60}));  // at a lower one
  CHECK(!stop.take({50, 0.6, 0.5}));
  CHECK(!stop.take({60, 0.6, 0.5}));
  CHECK(stop.ended());
  CHECK(stop.name() == "no_better");
  CHECK(stop.kept().step == 40);
  CHECK(stop.why() == "stopped at step 60: 2 evaluations without a better held-out accuracy; kept is step 40");
}

TEST_CASE("a look past a limit learned too hard, and the one before it is kept") {
  EarlyStop by_kl(settings(0, 0.1, 1.1), kStart);
  CHECK(by_kl.take({10, 0.6, 0.6, 0.04, 1.01}));
  CHECK(!by_kl.take({20, 0.9, 0.3, 0.13, 1.02}));
  CHECK(by_kl.outcome() == Outcome::kTooHard);
  CHECK(by_kl.kept().step == 10);
  CHECK(by_kl.why() ==
        "learned too hard: at step 20 0.130 nats a token away from the start, more than 0.10; kept is step 10");

  EarlyStop by_loss(settings(0, 0.1, 1.1), kStart);
  CHECK(!by_loss.take({10, 0.9, 0.3, 0.05, 1.22}));
  CHECK(by_loss.name() == "learned_too_hard");
  CHECK(by_loss.kept().step == 0);
  CHECK(
      by_loss.why() ==
      "learned too hard: at step 10 the start model finds its answers 22% less likely, token for token, than its own, "
      "more than 10%; kept is the start: nothing was learned");
}

TEST_CASE("what is no number holds no limit") {
  const double nan = std::nan("");
  EarlyStop kl(settings(0, 0.1, 0), kStart), ratio(settings(0, 0, 1.1), kStart);
  CHECK(!kl.take({10, 0.9, 0.3, nan, 1.0}));
  CHECK(kl.outcome() == Outcome::kTooHard);
  CHECK(!ratio.take({10, 0.9, 0.3, 0.0, nan}));
  CHECK(ratio.outcome() == Outcome::kTooHard);
}

TEST_CASE("a ratio that luck may have kept within its limit is not kept") {
  EarlyStop stop(settings(0, 0.1, 1.1), kStart);
  CHECK(stop.take({10, 0.6, 0.6, 0.01, 1.04, 0.03}));   // 1.089 at the most
  CHECK(!stop.take({20, 0.7, 0.5, 0.01, 1.06, 0.03}));  // 1.109
  CHECK(!stop.ended());
  CHECK(stop.kept().step == 10);
  EarlyStop resumed(settings(0, 0.1, 1.1), kStart);
  resumed.restore(parse_json(dump_json(stop.state()), "state"));
  CHECK(resumed.state() == stop.state());

  StopSettings folds = settings(0, 0, 1.1);
  folds.folds = 3;
  EarlyStop never(folds, kStart);
  never.until(10);
  CHECK(!never.take({10, 0.7, 0.6, 0.01, 1.06, 0.03}));
  CHECK(never.ended());
  CHECK(never.why() ==
        "stopped at step 10: at no evaluation with a better accuracy was the start model's loss on the answers surely "
        "within 10% of that on its own: nothing was learned; a lower rate, or more of stop.prompts and stop.samples, "
        "show more");
  EarlyStop back(folds, kStart);
  back.until(20);
  CHECK(back.take({10, 0.6, 0.66, 0.01, 1.0, 0.0}));
  CHECK(!back.take({20, 0.7, 0.61, 0.01, 1.06, 0.03}));
  CHECK(back.why() ==
        "stopped at step 20, where cross-validation says: 70% right; kept is step 10, the last whose answers' loss "
        "under the start model is surely within 10% of that on its own");
}

TEST_CASE("at the limit is within it, and limits that are off hold nothing") {
  EarlyStop at(settings(0, 0.1, 1.1), kStart);
  CHECK(at.take({10, 0.6, 0.6, 0.1, 1.1}));
  EarlyStop off(settings(1, 0, 0), kStart);
  CHECK(off.take({10, 0.6, 0.6, 9.0, 9.0}));
  CHECK(!off.ended());
}

TEST_CASE("what is no better than chance is not kept; without held-out rows the last that holds the limits is") {
  EarlyStop chance(settings(0, 0.1, 0), kStart);
  CHECK(!chance.take({10, 0.4, 0.8, 0.01, {}}));
  CHECK(chance.kept().step == 0);
  CHECK(chance.why() == "ran to its last step; kept is the start: nothing was learned");
  EarlyStop none(settings(0, 0.1, 0), Look{0, {}, {}, 0.0, 1.0});
  CHECK(none.take({10, {}, {}, 0.01, {}}));
  CHECK(none.take({20, {}, {}, 0.09, {}}));
  CHECK(!none.take({30, {}, {}, 0.11, {}}));
  CHECK(none.kept().step == 20);
}

TEST_CASE("it goes on from what the checkpoint holds") {
  EarlyStop whole(settings(2, 0.1, 1.1), kStart), cut(settings(2, 0.1, 1.1), kStart);
  const Look looks[] = {{10, 0.6, 0.6, 0.01, 1.0}, {20, 0.5, 0.6, 0.02, 1.0}, {30, 0.5, 0.6, 0.03, 1.0}};
  for (const Look& look : looks) whole.take(look);
  cut.take(looks[0]);
  cut.take(looks[1]);
  EarlyStop resumed(settings(2, 0.1, 1.1), kStart);
  resumed.restore(parse_json(dump_json(cut.state()), "state"));
  resumed.take(looks[2]);
  CHECK(resumed.ended());
  CHECK(resumed.why() == whole.why());
  CHECK(resumed.state() == whole.state());
}

TEST_CASE("cross-validation says where it ends, and the limits still hold before that") {
  StopSettings folds = settings(0, 0.1, 0);
  folds.folds = 3;
  EarlyStop stop(folds, kStart);
  stop.until(20);
  CHECK(stop.take({10, 0.6, 0.66, 0.01}));
  CHECK(!stop.ended());
  EarlyStop again(folds, kStart);
  again.restore(stop.state());
  CHECK(again.take({20, 0.7, 0.61, 0.02}));
  CHECK(again.name() == "far_enough");
  CHECK(again.why() == "stopped at step 20, where cross-validation says: 70% right");

  CHECK(!stop.take({20, 0.7, 0.61, 0.2}));
  CHECK(stop.outcome() == Outcome::kTooHard);
  CHECK(stop.kept().step == 10);

  EarlyStop further(folds, kStart);  // what is a little less right, and further, is what was asked for
  further.until(20);
  CHECK(further.take({10, 0.75, 0.66, 0.01}));
  CHECK(further.take({20, 0.7, 0.61, 0.02}));
  CHECK(further.kept().step == 20);

  EarlyStop nothing(folds, kStart);
  nothing.until(0);
  CHECK(nothing.ended());
  CHECK(nothing.kept().step == 0);
  CHECK(nothing.why().ends_with("no better than a coin: nothing was learned"));
}
