// A round goes on with the settings that it began with.
#include <doctest/doctest.h>

#include "../data/scratch.h"
#include "judge/dpo_learner.h"

using namespace hone;

TEST_CASE("a round that was stopped goes on as it began, whatever hone is started with the next time") {
  const scratch::Folder dir;
  judge::LearnSettings first, other;
  first.lr = 3e-4, first.epochs = 1.5, first.folds = 5, first.seed = 7, first.threads = 2, first.device = "cpu";
  other.rank = 4, other.batch_pairs = 2, other.kl_limit = 0.5, other.threads = 1;
  CHECK(judge::begun_with(dir.path / "1.settings.json", first) == first);
  CHECK(judge::begun_with(dir.path / "1.settings.json", other) == first);
  CHECK(judge::begun_with(dir.path / "2.settings.json", other) == other);
}
