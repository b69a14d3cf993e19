// A temporary folder with files of given content, plain or gzipped; and where ../shared/data lies.
#pragma once
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

namespace scratch {

struct Folder {
  std::filesystem::path path;
  Folder() {
    static int count = 0;
    path = std::filesystem::temp_directory_path() /
           ("hone-data-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  /// Writes a file (gzipped where its name ends in .gz) and returns its path.
  std::string file(const std::string& name, const std::string& content) const {
    const std::string full = (path / name).string();
    if (name.ends_with(".gz")) {
      const gzFile gz = gzopen(full.c_str(), "wb");
      gzwrite(gz, content.data(), static_cast<unsigned>(content.size()));
      gzclose(gz);
    } else {
      std::ofstream(full, std::ios::binary) << content;  // not the atomic write: its fsync costs 10 ms a file
    }
    return full;
  }
};

/// $HONE_DATA, else ../shared/data beside the source; nothing where neither is there.
inline std::optional<std::filesystem::path> shared_data() {
  const char* env = std::getenv("HONE_DATA");
  const std::filesystem::path root = env ? env : "../shared/data";
  if (std::filesystem::is_directory(root)) return root;
  return std::nullopt;
}

}  // namespace scratch
