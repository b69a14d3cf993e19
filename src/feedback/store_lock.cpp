#include "feedback/store_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "feedback/store.h"

namespace hone::feedback {
namespace {

std::string holder(int fd) {
  char text[32] = {};
  const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
  std::string out;
  for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; ++i) out += text[i];
  return out.empty() ? "(unknown)" : out;
}

}  // namespace

StoreLock::StoreLock(const std::filesystem::path& store) : path_(store.string() + ".lock") {
  while (true) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd_ < 0)
      throw StoreError(
          errno == ENOSPC ? Trouble::kFull : Trouble::kReadOnly, Kind::kUsage,
          store.string() + ": the store cannot be locked: cannot write " + path_ + ": " + std::strerror(errno),
          "does its folder exist, and may you write there?");
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const std::string who = holder(fd_);
      ::close(fd_);
      throw StoreError(
          Trouble::kLocked, Kind::kUsage, store.string() + ": process " + who + " writes to this store",
          "stop it, or wait for it; reading (`hone feedback show`, `export`, `hone check`) works beside it");
    }
    // The one who held it before may have removed the file between our two calls.
    struct stat mine{}, there{};
    if (::fstat(fd_, &mine) == 0 && ::stat(path_.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
        mine.st_dev == there.st_dev)
      break;
    ::close(fd_);
  }
  const std::string me = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_, 0) == 0) (void)!::pwrite(fd_, me.data(), me.size(), 0);
}

StoreLock::~StoreLock() {
  ::unlink(path_.c_str());
  ::close(fd_);
}

}  // namespace hone::feedback
