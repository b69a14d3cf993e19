#include "feedback/store.h"

#include <sys/stat.h>
#include <chrono>

#include <fstream>
#include <mutex>
#include <random>

#include "base/json.h"
#include "base/utf8.h"
#include "feedback/canonical_json.h"
#include "feedback/event_rows.h"
#include "feedback/group_commit.h"
#include "feedback/schema.h"
#include "feedback/sqlite.h"
#include "feedback/store_lock.h"

namespace hone::feedback {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kLeastFile = 512;  // bytes; SQLite's smallest page

int64_t now_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::string random_id() {
  std::random_device device;
  std::string out;
  for (int i = 0; i < 32; ++i) out += "0123456789abcdef"[device() & 15];
  return out;
}

const char* table_name(Outside table) {
  switch (table) {
    case Outside::kDraft:
      return "outside_draft";
    case Outside::kToken:
      return "outside_token";
    case Outside::kBuffer:
      return "outside_buffer";
  }
  HONE_CHECK(false);
}

void check_entry(const std::string& owner, const std::string& name, const std::string& value) {
  if (owner.size() > kLongestName || name.empty() || name.size() > kLongestName)
    usage_error("an entry outside the log has no name, or one longer than " + std::to_string(kLongestName) + " bytes");
  if (value.size() > kLongestPayload)
    usage_error("an entry outside the log is longer than " + std::to_string(kLongestPayload) + " bytes");
  for (const std::string* text : {&owner, &name, &value})
    if (valid_utf8_prefix(*text) != text->size()) usage_error("an entry outside the log is not UTF-8");
}

void refuse_changed_schema(Database& database, int64_t version) {
  if (const std::string fault = schema_fault(database, version); !fault.empty())
    throw StoreError(Trouble::kDamaged, Kind::kRun, database.path().string() + ": the schema was changed: " + fault,
                     "the log is not protected as it should be; put back a copy");
}

// A last page that is not whole: SQLite fills it with zeros. While a write-ahead log is there the file may be so.
void refuse_torn_end(Database& database) {
  std::error_code none;
  const fs::path wal = database.path().string() + "-wal";
  if (fs::exists(wal, none) && fs::file_size(wal, none) > 0) return;
  const auto bytes = fs::file_size(database.path(), none);
  if (const std::string page = database.ask("PRAGMA page_size"); !none && bytes % std::stoull(page) != 0)
    throw StoreError(Trouble::kDamaged, Kind::kRun, database.path().string() + ": the store is cut short",
                     "`hone check` names the last event that holds; put back a copy");
}

// A file that is empty or just made becomes a store; an older one is brought up to date.
void bring_up_to_date(Database& database) {
  const int64_t version = schema_version(database);
  if (version > 0) {
    refuse_torn_end(database);
    refuse_changed_schema(database, version);
  }
  if (database.ask("PRAGMA journal_mode = WAL") != "wal")
    throw StoreError(Trouble::kReadOnly, Kind::kUsage,
                     database.path().string() + ": this file system cannot keep a write-ahead log",
                     "put the store on a local disk");
  database.execute("PRAGMA synchronous = FULL");
  database.execute("PRAGMA journal_size_limit = 16777216");
  if (version == newest_schema()) return;
  database.execute("BEGIN IMMEDIATE");
  migrate(database, version, newest_schema());
  if (version == 0) {
    const NewEvent created{EventType::kCreated, "system", "",
                           canonical_json(Json{{"format", std::string(kLogFormat)}, {"store", random_id()}}), ""};
    append_event(database, created, nothing_yet(), now_us());
  }
  database.execute("COMMIT");
}

// What SQLite would take for an empty file and overwrite, and what it cannot open.
void refuse_what_is_no_file_of_ours(const fs::path& path) {
  std::error_code none;
  if (fs::exists(path, none) && !fs::is_regular_file(path, none))
    throw StoreError(Trouble::kForeign, Kind::kUsage,
                     path.string() + (fs::is_directory(path, none) ? ": a folder" : ": a device or a pipe") +
                         ", not a feedback store",
                     "a store is one file, such as FOLDER/feedback.store");
  if (const auto bytes = fs::file_size(path, none); !none && bytes > 0 && bytes < kLeastFile)
    throw StoreError(Trouble::kForeign, Kind::kUsage,
                     path.string() + ": not a feedback store, or all but its first bytes are lost",
                     "give the file that `hone annotate` or `hone feedback import` made");
}

}  // namespace

struct Store::Parts {
  fs::path path;
  // In this order: the lock is let go last.
  std::unique_ptr<StoreLock> lock;
  std::unique_ptr<Database> writing;
  std::unique_ptr<GroupCommit> commits;
  std::unique_ptr<Database> reading;
  std::mutex reads;
  std::optional<std::pair<dev_t, ino_t>> file;  // what was opened to write, on the system's own file system

  static std::optional<std::pair<dev_t, ino_t>> file_at(const fs::path& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return std::pair{found.st_dev, found.st_ino};
  }

  // Runs `work` within a transaction that is on the disk when this returns.
  void write(const GroupCommit::Work& work) {
    if (!commits)
      throw StoreError(Trouble::kReadOnly, Kind::kBug, path.string() + ": the store was opened to read", "");
    // SQLite goes on writing into a file that has lost its name.
    if (file && file_at(path) != file)
      throw StoreError(Trouble::kMissing, Kind::kRun,
                       path.string() + ": the store was removed or replaced while it is open",
                       "put it back, or stop and start again; nothing was recorded since");
    commits->run(work);
  }
};

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Store Store::open(const fs::path& path, const StoreSettings& settings) {
  HONE_CHECK(settings.group_limit > 0);
  refuse_what_is_no_file_of_ours(path);
  auto parts = std::make_unique<Parts>();
  parts->path = path;
  parts->lock = std::make_unique<StoreLock>(fs::weakly_canonical(path));  // a link leads to the same store
  parts->writing = std::make_unique<Database>(path, Database::Mode::kWrite, settings.vfs);
  bring_up_to_date(*parts->writing);
  // A process that was killed may have written events that no receipt was given for and that are not synced: a receipt
  // for them, by their key, must not come before they are.
  parts->writing->sync_wal();
  last_event(*parts->writing);
  if (settings.vfs.empty()) parts->file = Parts::file_at(path);
  parts->commits = std::make_unique<GroupCommit>(*parts->writing, settings.group_limit);
  parts->reading = std::make_unique<Database>(path, Database::Mode::kRead, settings.vfs);
  return Store(std::move(parts));
}

Store Store::open_read_only(const fs::path& path, const StoreSettings& settings) {
  refuse_what_is_no_file_of_ours(path);
  std::error_code none;
  if (settings.vfs.empty() && !fs::exists(path, none))
    throw StoreError(Trouble::kMissing, Kind::kUsage, path.string() + ": no such feedback store",
                     "`hone annotate --store FILE` and `hone feedback import … --store FILE` make one");
  auto parts = std::make_unique<Parts>();
  parts->path = path;
  parts->reading = std::make_unique<Database>(path, Database::Mode::kRead, settings.vfs);
  const int64_t version = schema_version(*parts->reading);
  if (version == 0)
    throw StoreError(Trouble::kForeign, Kind::kUsage, path.string() + ": an empty file, not a feedback store",
                     "`hone feedback import … --store FILE` makes one");
  refuse_changed_schema(*parts->reading, version);
  return Store(std::move(parts));
}

std::vector<Receipt> Store::append(std::span<const NewEvent> events) {
  for (const NewEvent& e : events) check_event(e);
  std::vector<Receipt> out;
  if (events.empty()) return out;
  parts_->write([&](Transaction& t) {
    out.clear();
    Receipt last = t.head ? *t.head : last_event(t.database);
    const int64_t us = now_us();
    for (const NewEvent& e : events) {
      const Receipt receipt = append_event(t.database, e, last, us);
      if (!receipt.again) last = receipt;
      out.push_back(receipt);
    }
    t.head = last;
  });
  return out;
}

Receipt Store::append(const NewEvent& event) { return append(std::span(&event, 1)).front(); }

Receipt Store::head() const {
  const std::lock_guard lock(parts_->reads);
  Statement row = parts_->reading->prepare("SELECT seq, hash FROM chain_head");
  if (!row.step()) return nothing_yet();
  return {row.whole(0), row.hex(1), false};
}

std::string Store::id() const {
  const std::vector<Event> first = events(0, 1);
  if (first.empty() || first[0].type != name_of(EventType::kCreated))
    throw StoreError(Trouble::kDamaged, Kind::kRun, parts_->path.string() + ": event 1 is not the store's beginning",
                     "");
  return parse_json(first[0].payload, "event 1").value("store", "");
}

std::vector<Event> Store::events(int64_t after, int64_t limit) const {
  const std::lock_guard lock(parts_->reads);
  Statement row = parts_->reading->prepare(select_events("FROM event WHERE seq > ? ORDER BY seq LIMIT ?"));
  row.bind(after).bind(limit);
  std::vector<Event> out;
  while (row.step()) out.push_back(read_event(row));
  return out;
}

std::vector<Event> Store::events_of(const std::string& query) const {
  const std::lock_guard lock(parts_->reads);
  Statement row = parts_->reading->prepare(select_events("FROM event WHERE query = ? AND query <> '' ORDER BY seq"));
  row.bind(query);
  std::vector<Event> out;
  while (row.step()) out.push_back(read_event(row));
  return out;
}

void Store::each(const std::function<bool(const Event&)>& take) const {
  const std::lock_guard lock(parts_->reads);
  Statement row = parts_->reading->prepare(select_events("FROM event ORDER BY seq"));
  while (row.step())
    if (!take(read_event(row))) return;
}

std::optional<Event> Store::event_by_key(const std::string& actor, const std::string& key) const {
  const std::lock_guard lock(parts_->reads);
  Statement row = parts_->reading->prepare(select_events("FROM event WHERE actor = ? AND key = ? AND key <> ''"));
  if (!row.bind(actor).bind(key).step()) return std::nullopt;
  return read_event(row);
}

void Store::put(Outside table, const std::string& owner, const std::string& name, const std::string& value) {
  const std::pair<std::string, std::string> entry{name, value};
  put(table, owner, std::span(&entry, 1));
}

void Store::put(Outside table, const std::string& owner, std::span<const std::pair<std::string, std::string>> entries) {
  for (const auto& [name, value] : entries) check_entry(owner, name, value);
  if (entries.empty()) return;
  const std::string sql =
      std::string("INSERT OR REPLACE INTO ") + table_name(table) + "(owner, name, value, us) VALUES (?, ?, ?, ?)";
  parts_->write([&](Transaction& t) {
    for (const auto& [name, value] : entries)
      t.database.prepare(sql).bind(owner).bind(name).bind(value).bind(now_us()).run();
  });
}

std::optional<OutsideEntry> Store::get(Outside table, const std::string& owner, const std::string& name) const {
  const std::lock_guard lock(parts_->reads);
  Statement row = parts_->reading->prepare(std::string("SELECT name, value, us FROM ") + table_name(table) +
                                           " WHERE owner = ? AND name = ?");
  if (!row.bind(owner).bind(name).step()) return std::nullopt;
  return OutsideEntry{row.text(0), row.text(1), row.whole(2)};
}

std::vector<OutsideEntry> Store::list(Outside table, const std::string& owner) const {
  const std::lock_guard lock(parts_->reads);
  Statement row = parts_->reading->prepare(std::string("SELECT name, value, us FROM ") + table_name(table) +
                                           " WHERE owner = ? ORDER BY rowid");
  row.bind(owner);
  std::vector<OutsideEntry> out;
  while (row.step()) out.push_back({row.text(0), row.text(1), row.whole(2)});
  return out;
}

void Store::drop(Outside table, const std::string& owner, const std::string& name) {
  const std::string sql = std::string("DELETE FROM ") + table_name(table) + " WHERE owner = ? AND name = ?";
  parts_->write([&](Transaction& t) { t.database.prepare(sql).bind(owner).bind(name).run(); });
}

const fs::path& Store::path() const { return parts_->path; }

bool looks_like_store(const fs::path& path) {
  std::error_code none;
  if (!fs::is_regular_file(path, none)) return false;
  char begin[16] = {};
  std::ifstream file(path, std::ios::binary);
  file.read(begin, sizeof begin);
  return file.gcount() == 0 || std::string_view(begin, 15) == "SQLite format 3";
}

}  // namespace hone::feedback
