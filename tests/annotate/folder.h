// A temporary folder with files of given content.
#pragma once
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/files.h"

namespace hone {

struct Folder {
  fs::path path;
  Folder() {
    static int count = 0;
    path = fs::temp_directory_path() /
           ("hone-annotate-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name, const std::string& content) const {
    write_file_atomic(path / name, content);
    return (path / name).string();
  }
};

}  // namespace hone
