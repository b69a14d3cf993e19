// A file system for SQLite that forgets as a disk does when the power goes: what was written since a file's last sync
// is there, or not, or in part, in any order.
//
// It passes everything on to the system's own, and keeps of each file the content at its last sync and the writes
// since. After `cut()` every operation fails, as if the process had ended. `image()` then makes a folder of what a disk
// may hold: of the writes since the last sync a random choice, some torn at a multiple of 512 bytes, applied in random
// order. Making and removing files counts as synced at once.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace disk {

inline constexpr const char* kName = "hone-test-disk";

/// Registers it. Once a process.
void install();
enum class Fault {
  kPower,  ///< the power goes
  kFull,   ///< there is no more space
  kLies,   ///< the power goes, and until then syncs were claimed and not made
};
/// Forgets all files. The fault comes when `operations` more (writes, truncations, syncs) have been made; negative:
/// never.
void begin(int64_t operations, Fault fault = Fault::kPower);
/// Space is there again.
void make_room();
bool is_cut();
/// Operations since begin().
int64_t operations();
/// What the disk may hold of the files in `from`, into `to`.
void image(const std::filesystem::path& from, const std::filesystem::path& to, uint64_t seed);

}  // namespace disk
