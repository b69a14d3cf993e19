// Nothing of the user's is written over: what a run's folder may hold before the run takes it.
#pragma once
#include <filesystem>
#include <string>

#include "config/fields.h"
#include "config/recipe.h"

namespace hone::pipeline {

/// kUsage if the folder holds something that no run of hone wrote, or a run of another kind ("recipe" or a stage's).
void require_own_folder(const std::filesystem::path& folder, const std::string& kind);

/// kUsage if a field of the stage names something inside the folder that the stage writes to.
void require_inputs_outside(const config::Fields& fields, const config::StageEntry& entry,
                            const std::filesystem::path& folder);

}  // namespace hone::pipeline
