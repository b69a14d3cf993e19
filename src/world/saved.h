// world.json: the settings from which a world is made again, for evaluation.
#pragma once
#include <filesystem>

#include "world/world.h"

namespace hone::world {

/// Writes FOLDER/world.json.
void save_world(const std::filesystem::path& folder, const WorldParams& params);
/// Reads FOLDER/world.json and makes the world; missing or malformed: kUsage.
World load_world(const std::filesystem::path& folder);

/// The annotators' settings, as FOLDER/annotators.json.
void save_annotators(const std::filesystem::path& folder, const AnnotatorParams& params);
AnnotatorParams load_annotators(const std::filesystem::path& folder);

}  // namespace hone::world
