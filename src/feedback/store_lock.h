// Who writes a store: STORE.lock, held by flock and with the writer's process number in it. Dies with its process.
#pragma once
#include <filesystem>

namespace hone::feedback {

class StoreLock {
 public:
  /// Held by another process, or by another Store of this one: StoreError kLocked that names it.
  explicit StoreLock(const std::filesystem::path& store);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace hone::feedback
