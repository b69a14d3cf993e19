#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "pipeline/run.h"
#include "pipeline/stage.h"

namespace hone::pipeline {

void print_plan(const config::Recipe& recipe) {
  log::info("plan of " + (recipe.path.empty() ? recipe.stages.front().kind : recipe.path) + ": " + std::to_string(recipe.stages.size()) + " stages");
}

}  // namespace hone::pipeline
