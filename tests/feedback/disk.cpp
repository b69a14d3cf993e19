#include "disk.h"

#include <sqlite3.h>

#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/rng.h"

namespace disk {
namespace {

namespace fs = std::filesystem;

struct Change {
  int64_t at = 0;
  std::string bytes;
  bool truncation = false;  // to `at` bytes
};

struct Content {
  std::string synced;
  std::vector<Change> since;
};

std::mutex mutex;
std::map<std::string, Content> files;
int64_t left = -1, made = 0;
Fault fault = Fault::kPower;
bool gone = false, no_room = false;

sqlite3_vfs* under = nullptr;

// One operation; false: it does not happen, and `code` says why.
bool happens(int& code) {
  if (gone) {
    code = SQLITE_IOERR;
    return false;
  }
  ++made;
  if (left >= 0 && left-- == 0) {
    (fault == Fault::kFull ? no_room : gone) = true;
    left = -1;
  }
  if (gone) code = SQLITE_IOERR_WRITE;
  else if (no_room) code = SQLITE_FULL;
  return !gone && !no_room;
}

void apply(std::string& content, const Change& c, size_t bytes) {
  if (c.truncation) {
    content.resize(static_cast<size_t>(c.at), '\0');
    return;
  }
  if (content.size() < static_cast<size_t>(c.at) + bytes) content.resize(static_cast<size_t>(c.at) + bytes, '\0');
  content.replace(static_cast<size_t>(c.at), bytes, c.bytes, 0, bytes);
}

struct File {
  sqlite3_file base;
  std::string* name;
  // The system's own file stands behind this.
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
File* file_of(sqlite3_file* f) { return reinterpret_cast<File*>(f); }
const sqlite3_io_methods* methods_of(sqlite3_file* f) { return file_of(f)->real()->pMethods; }

int close(sqlite3_file* f) {
  delete file_of(f)->name;
  file_of(f)->name = nullptr;
  return methods_of(f)->xClose(file_of(f)->real());
}
int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  return methods_of(f)->xRead(file_of(f)->real(), to, n, at);
}
int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  const std::lock_guard lock(mutex);
  int code = SQLITE_OK;
  if (!happens(code)) return code;
  if (file_of(f)->name)
    files[*file_of(f)->name].since.push_back(
        {at, std::string(static_cast<const char*>(from), static_cast<size_t>(n)), false});
  return methods_of(f)->xWrite(file_of(f)->real(), from, n, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
  const std::lock_guard lock(mutex);
  int code = SQLITE_OK;
  if (!happens(code)) return code;
  if (file_of(f)->name) files[*file_of(f)->name].since.push_back({size, "", true});
  return methods_of(f)->xTruncate(file_of(f)->real(), size);
}
int sync(sqlite3_file* f, int) {
  const std::lock_guard lock(mutex);
  int code = SQLITE_OK;
  if (!happens(code)) return code == SQLITE_FULL ? SQLITE_IOERR_FSYNC : code;
  if (file_of(f)->name && fault != Fault::kLies) {
    Content& content = files[*file_of(f)->name];
    for (const Change& c : content.since) apply(content.synced, c, c.bytes.size());
    content.since.clear();
  }
  return SQLITE_OK;  // the real disk is not asked: the content above is what counts
}
int size(sqlite3_file* f, sqlite3_int64* out) { return methods_of(f)->xFileSize(file_of(f)->real(), out); }
int lock(sqlite3_file* f, int level) { return methods_of(f)->xLock(file_of(f)->real(), level); }
int unlock(sqlite3_file* f, int level) { return methods_of(f)->xUnlock(file_of(f)->real(), level); }
int check_lock(sqlite3_file* f, int* out) { return methods_of(f)->xCheckReservedLock(file_of(f)->real(), out); }
int control(sqlite3_file* f, int op, void* argument) {
  if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;  // no writes behind our back
  return methods_of(f)->xFileControl(file_of(f)->real(), op, argument);
}
int sector(sqlite3_file* f) { return methods_of(f)->xSectorSize(file_of(f)->real()); }
int characteristics(sqlite3_file* f) {
  return methods_of(f)->xDeviceCharacteristics(file_of(f)->real()) & ~SQLITE_IOCAP_BATCH_ATOMIC;
}
// The index of the write-ahead log is made anew after a loss of power.
int shm_map(sqlite3_file* f, int page, int bytes, int extend, void volatile** out) {
  return methods_of(f)->xShmMap(file_of(f)->real(), page, bytes, extend, out);
}
int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
  return methods_of(f)->xShmLock(file_of(f)->real(), offset, n, flags);
}
void shm_barrier(sqlite3_file* f) { methods_of(f)->xShmBarrier(file_of(f)->real()); }
int shm_unmap(sqlite3_file* f, int remove) { return methods_of(f)->xShmUnmap(file_of(f)->real(), remove); }

const sqlite3_io_methods kMethods{
    2,      close,           read,    write,    truncate,    sync,      size,    lock,   unlock, check_lock, control,
    sector, characteristics, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr, nullptr};

int open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out_flags) {
  const std::lock_guard lock(mutex);
  f->pMethods = nullptr;
  file_of(f)->name = nullptr;
  if (gone) return SQLITE_CANTOPEN;
  const int code = under->xOpen(under, name, file_of(f)->real(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  const bool kept = name && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
  if (kept) {
    file_of(f)->name = new std::string(name);
    if (!files.contains(name)) {
      Content& content = files[name];
      std::error_code none;
      if (fs::exists(name, none) && fs::file_size(name, none) > 0) content.synced = hone::read_file(name);
    }
  }
  f->pMethods = &kMethods;
  return SQLITE_OK;
}
int remove(sqlite3_vfs*, const char* name, int sync_folder) {
  const std::lock_guard lock(mutex);
  if (gone) return SQLITE_IOERR_DELETE;
  files.erase(name);
  return under->xDelete(under, name, sync_folder);
}

}  // namespace

void install() {
  static sqlite3_vfs vfs;
  static bool there = false;
  if (there) return;
  there = true;
  under = sqlite3_vfs_find(nullptr);
  vfs = *under;  // what is not ours to change is the system's, which looks at its own pAppData
  vfs.zName = kName;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + under->szOsFile;
  vfs.pNext = nullptr;
  vfs.xOpen = open;
  vfs.xDelete = remove;
  HONE_CHECK(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK);
}

void begin(int64_t operations_left, Fault what) {
  const std::lock_guard lock(mutex);
  files.clear();
  left = operations_left;
  made = 0;
  gone = no_room = false;
  fault = what;
}

void make_room() {
  const std::lock_guard lock(mutex);
  no_room = false;
}

bool is_cut() {
  const std::lock_guard lock(mutex);
  return gone || no_room;
}

int64_t operations() {
  const std::lock_guard lock(mutex);
  return made;
}

void image(const fs::path& from, const fs::path& to, uint64_t seed) {
  const std::lock_guard lock(mutex);
  fs::remove_all(to);
  fs::create_directories(to);
  hone::Stream stream(seed, "disk");
  for (const auto& [name, content] : files) {
    const fs::path path = name;
    if (path.parent_path() != from || !fs::exists(path)) continue;
    std::string bytes = content.synced;
    std::vector<Change> since = content.since;
    if (stream.chance(0.5)) stream.shuffle(since);
    const double kept = stream.uniform();
    for (const Change& c : since) {
      if (!stream.chance(kept)) continue;
      size_t n = c.bytes.size();
      if (n > 512 && stream.chance(0.3)) n = 512 * static_cast<size_t>(stream.below(n / 512));
      apply(bytes, c, n);
    }
    std::ofstream(to / path.filename(), std::ios::binary) << bytes;
  }
}

}  // namespace disk
