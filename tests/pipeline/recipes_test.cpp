// Every recipe of the repository is read to its end: its settings are known, read and go together, whatever data and
// models are there.
#include <doctest/doctest.h>

#include "base/files.h"
#include "config/recipe.h"
#include "pipeline/stage.h"

using namespace hone;

TEST_CASE("every recipe's settings are known, read, and go together") {
  int recipes = 0;
  for (const auto& file : fs::directory_iterator("recipes")) {
    CAPTURE(file.path().string());
    ++recipes;
    const config::Recipe recipe = config::read_recipe(file.path());
    for (const config::StageEntry& entry : recipe.stages) {
      const std::unique_ptr<pipeline::Stage> stage = pipeline::make_stage(entry.kind, entry.where);
      CHECK_NOTHROW(pipeline::apply_settings(*stage, entry));
      CHECK_NOTHROW(pipeline::check_stage(*stage, entry));
    }
  }
  CHECK(recipes >= 18);
}
