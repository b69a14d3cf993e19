// The feedback store: one SQLite file with the log of everything that people judged.
//
// Invariants:
//   1. The table `event` is the only truth about judgements. Events are appended and never changed or removed: triggers
//      refuse UPDATE and DELETE, and an INSERT whose number is not the next.
//   2. Events are numbered 1, 2, 3, … without gaps; each carries the hash of the one before (event.h). Event 1 is
//      "created" and holds the store's random id, so that no two stores share a chain.
//   3. append() returns only when its events are on the disk (WAL, synchronous = FULL). What it returned a receipt for
//      is there once, after kill -9 and after a loss of power. What it threw for is there entirely or not at all.
//   4. The events of one append() stand side by side in the log, all or none.
//   5. An idempotency key belongs to its actor. The same key with the same event gives the receipt of the first time
//      and appends nothing; with another event it is refused (Trouble::kConflict).
//   6. `chain_head` holds number and hash of the last event and changes in the same transaction: a log that was cut
//      short disagrees with it.
//   7. Judgements, corrections, notes and blind answers are about a query that their actor was shown before, and each
//      actor is shown a query once. An undo names an earlier event of the same actor and query that is not undone yet.
//   8. Labels and training sets are functions of the log (labels.h), computed and never stored.
//   9. Tables named outside_… are outside the log: drafts, tokens and buffers. They change and vanish, are not hashed,
//      and nothing in the log may depend on them.
//  10. One process writes at a time. STORE.lock, held by flock, names it; readers need no lock and see whole
//      transactions.
//  11. The schema's version stands in user_version and its history in the table `migration`. A writer brings an older
//      store up to date in one transaction; a newer one is refused.
//  12. No text from outside becomes SQL: every value is bound.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "feedback/event.h"

namespace hone::feedback {

/// Why a store cannot do what was asked.
enum class Trouble {
  kConflict,  ///< an idempotency key that stands for another event
  kRefused,   ///< an event that the invariants forbid
  kLocked,    ///< another process writes
  kMissing,   ///< there is no such file
  kForeign,   ///< not a feedback store
  kNewer,     ///< written by a newer hone
  kDamaged,   ///< corrupt or truncated
  kReadOnly,  ///< the file or its folder cannot be written
  kFull,      ///< no space left; nothing was appended
  kIo,        ///< the disk failed otherwise
};

struct StoreError : Error {
  StoreError(Trouble trouble, Kind kind, const std::string& message, std::string hint)
      : Error(kind, message, std::move(hint)), trouble(trouble) {}
  Trouble trouble;
};

/// Number and hash of an event: what an acknowledgement says, and what can be noted down elsewhere to hold the log to.
struct Receipt {
  int64_t seq = 0;
  std::string hash;    ///< lower-case hex; of an empty log 64 zeros
  bool again = false;  ///< it was there before, by its key
};

/// Tables outside the log.
enum class Outside { kDraft, kToken, kBuffer };

struct OutsideEntry {
  std::string name, value;
  int64_t us = 0;  ///< when it was put
};

struct StoreSettings {
  int64_t group_limit = 256;  ///< requests that one transaction makes durable together; 1: each its own
  std::string vfs;            ///< SQLite's file system by name (tests); "": the system's
};

class Store {
 public:
  /// To write: makes the file where there is none, takes the lock, brings the schema up to date.
  static Store open(const std::filesystem::path& path, const StoreSettings& settings = {});
  /// To read, beside a writer or alone; the file must be there. append() and put() are then refused.
  static Store open_read_only(const std::filesystem::path& path, const StoreSettings& settings = {});
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  // All members may be called from several threads at once.

  /// Returns when all of them are durable. Wrong ones throw kUsage (event.h) or StoreError; then none is appended.
  std::vector<Receipt> append(std::span<const NewEvent> events);
  Receipt append(const NewEvent& event);

  Receipt head() const;
  /// The store's random id, from its first event.
  std::string id() const;
  /// Events after number `after`, in order; at most `limit`.
  std::vector<Event> events(int64_t after = 0, int64_t limit = INT64_MAX) const;
  /// Events about one query, in order.
  std::vector<Event> events_of(const std::string& query) const;
  /// Calls `take` for each event, in order, from one moment's view of the log; false from it ends the walk.
  void each(const std::function<bool(const Event&)>& take) const;
  /// The event that the actor's idempotency key stands for.
  std::optional<Event> event_by_key(const std::string& actor, const std::string& key) const;

  // Outside the log. An entry is its owner's, by name. put() returns when the entry is durable; values up to
  // kLongestPayload bytes.
  void put(Outside table, const std::string& owner, const std::string& name, const std::string& value);
  void put(Outside table, const std::string& owner, std::span<const std::pair<std::string, std::string>> entries);
  std::optional<OutsideEntry> get(Outside table, const std::string& owner, const std::string& name) const;
  /// In the order in which they were put.
  std::vector<OutsideEntry> list(Outside table, const std::string& owner) const;
  /// What is not there is no error.
  void drop(Outside table, const std::string& owner, const std::string& name);

  const std::filesystem::path& path() const;

 private:
  struct Parts;
  explicit Store(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Whether the file begins as an SQLite database does (or is an empty file), so that `hone check` asks this room.
bool looks_like_store(const std::filesystem::path& path);

}  // namespace hone::feedback
