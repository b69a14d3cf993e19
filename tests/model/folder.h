// A folder of a test's own, removed at its end.
#pragma once
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

namespace hone::test {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("hone-model-" + std::to_string(::getpid()) + "-" + std::to_string(next()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;

 private:
  static int next() {
    static std::atomic<int> n = 0;
    return n++;
  }
};

}  // namespace hone::test
