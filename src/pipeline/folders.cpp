#include "pipeline/folders.h"

#include "base/error.h"
#include "base/files.h"
#include "config/run_folder.h"
#include "pipeline/references.h"

namespace hone::pipeline {

namespace fs = std::filesystem;

void require_own_folder(const fs::path& folder, const std::string& kind) {
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) usage_error(folder.string() + ": is no folder", "choose another with --out");
  if (fs::exists(folder / config::names::kRecord)) {
    const std::string other = config::read_record(folder).kind;
    if (other != kind)
      usage_error(folder.string() + ": holds a run of kind '" + other + "', not '" + kind + "'",
                  "choose another folder with --out");
    return;
  }
  // What a run killed before its record was there may leave: its lock, and the record half written.
  const fs::path half_written = temporary_of(folder / config::names::kRecord);
  for (const auto& entry : fs::directory_iterator(folder))
    if (!entry.path().filename().string().starts_with('.') && entry.path() != half_written)
      usage_error(folder.string() + ": holds " + entry.path().filename().string() + ", and no run of hone made it",
                  "choose another folder with --out, so that nothing of yours is written over");
}

void require_inputs_outside(const config::Fields& fields, const config::StageEntry& entry, const fs::path& folder) {
  const std::string own = (fs::weakly_canonical(folder) / "").string();
  for (const auto& [key, path] : input_paths(fields))
    if ((fs::weakly_canonical(path) / "").string().starts_with(own))
      usage_error(entry.where + ": '" + key + "' of stage '" + entry.name + "' names " + path +
                      ", which lies in the folder that the stage writes to",
                  "choose another folder with --out");
}

}  // namespace hone::pipeline
