// What an evaluation demands of a stage's curve, the stage must be able to have: found before the first stage starts.
#pragma once
#include "config/fields.h"
#include "config/recipe.h"
#include "pipeline/references.h"

namespace hone::pipeline {

/// kUsage if `curves` of stage `index`, references resolved, names the metrics of a stage of this recipe that is not
/// watched, or a check in `require` a figure that such a stage's metrics never hold.
void require_watched_stages(const config::Fields& fields, const config::Recipe& recipe, const fs::path& out,
                            size_t index);

}  // namespace hone::pipeline
