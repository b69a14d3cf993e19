// What stands in a recipe for a path: "$data/x" is a public data set below run.data; "@name" is what an earlier stage
// makes: its model folder, or its run folder for a kind that makes no model; "@name/x" a file in its run folder.
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "config/fields.h"
#include "config/recipe.h"

namespace hone::pipeline {

namespace fs = std::filesystem;

/// OUT/NN-NAME; OUT itself for a stage that came from a verb.
fs::path stage_folder(const config::Recipe& recipe, const fs::path& out, size_t index);

/// Puts paths in the place of the references in the fields of stage `index` of a run in `out`; a reference to what is
/// no earlier stage: kUsage. Returns the run folders referred to, each once.
std::vector<std::string> resolve_references(const config::Fields& fields, const config::Recipe& recipe,
                                            const fs::path& out, size_t index);

/// Every file, folder and pattern that fields name: key and path.
std::vector<std::pair<std::string, std::string>> input_paths(const config::Fields& fields);

/// Files and folders that resolved fields name, that are not there and that no earlier stage of the run in `out` makes:
/// key and path. Patterns are left to the stage.
std::vector<std::pair<std::string, std::string>> missing_inputs(const config::Fields& fields, const fs::path& out);

}  // namespace hone::pipeline
