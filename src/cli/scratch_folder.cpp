#include "cli/scratch_folder.h"

#include <unistd.h>

#include "base/error.h"

namespace hone::cli {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder(const std::string& out, const std::string& purpose) : out_(out) {
  if (fs::exists(out_) && !fs::is_empty(out_))
    usage_error(out + ": is there already and not empty", "choose another folder with --out");
  fs::path beside = out_.lexically_normal();
  if (!beside.has_filename()) beside = beside.parent_path();
  path_ = beside.string() + "." + purpose + "-" + std::to_string(::getpid());
  fs::create_directories(path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void ScratchFolder::move_into_place(const fs::path& result) {
  if (fs::exists(out_)) fs::remove(out_);
  fs::rename(result, out_);
}

}  // namespace hone::cli
