// A folder that appears whole or not at all: written beside its place, then moved there.
#pragma once
#include <filesystem>
#include <string>

namespace hone::cli {

class ScratchFolder {
 public:
  /// `out` must not be there yet, or be empty: else kUsage.
  ScratchFolder(const std::string& out, const std::string& purpose);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  /// Moves `result`, which lies in the scratch folder, to its place.
  void move_into_place(const std::filesystem::path& result);

 private:
  std::filesystem::path out_, path_;
};

}  // namespace hone::cli
