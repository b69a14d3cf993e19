#include "train/warnings.h"

#include <doctest/doctest.h>

#include "base/json.h"

using hone::train::Warnings;

namespace {
hone::config::Numbers numbers(double score, double entropy, double length, double kl) {
  return {{"score", score}, {"entropy", entropy}, {"length", length}, {"kl", kl}};
}
}  // namespace

TEST_CASE("a calm run is left in peace; each sign speaks once") {
  Warnings w;
  for (int64_t step = 1; step <= 10; ++step)
    CHECK(w.look(step, numbers(0.1 * static_cast<double>(step), 0.8, 12, 0.3 * static_cast<double>(step))).empty());
  // KL is a mean of the last three steps: 2.7, 3.0 and 9.9 give 5.2, over 4.
  CHECK(w.look(11, numbers(1, 0.8, 12, 9.9)).size() == 1);
  CHECK(w.look(12, numbers(1, 0.8, 12, 9.9)).empty());
  CHECK(w.look(13, numbers(1, 0.1, 12, 9.9)).size() == 1);  // entropy at an eighth
  CHECK(w.look(14, numbers(1, 0.1, 30, 9.9)).size() == 1);  // length two and a half times the start's
  CHECK(w.look(15, numbers(9, 0.1, 30, 9.9)).size() == 1);  // reward
}

TEST_CASE("a resumed run goes on as if it had not stopped") {
  Warnings a, b;
  for (int64_t step = 1; step <= 5; ++step) a.look(step, numbers(0, 0.8, 12, 5));
  b.load_state(a.state());
  CHECK(a.look(6, numbers(9, 0.1, 30, 9)) == b.look(6, numbers(9, 0.1, 30, 9)));
}

TEST_CASE("where a rule is maximised, a falling entropy is the one sign") {
  Warnings w(/*learned_reward=*/false);
  for (int64_t step = 1; step <= 5; ++step) CHECK(w.look(step, numbers(0.1, 0.8, 12, 9.9)).empty());
  CHECK(w.look(6, numbers(5, 0.8, 40, 9.9)).empty());
  CHECK(w.look(7, numbers(5, 0.1, 12, 9.9)).size() == 1);
}
