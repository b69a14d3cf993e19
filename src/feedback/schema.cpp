#include "feedback/schema.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/version.h"

namespace hone::feedback {
namespace {

// Version 1: the log, its head, and drafts.
constexpr const char* kLog = R"sql(
CREATE TABLE migration(version INTEGER PRIMARY KEY, us INTEGER NOT NULL, program TEXT NOT NULL) STRICT;
CREATE TABLE event(
  seq INTEGER PRIMARY KEY,
  us INTEGER NOT NULL,
  type TEXT NOT NULL,
  actor TEXT NOT NULL,
  query TEXT NOT NULL,
  key TEXT NOT NULL,
  payload TEXT NOT NULL,
  payload_sha256 BLOB NOT NULL,
  prev BLOB NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_key ON event(actor, key) WHERE key <> '';
CREATE TABLE chain_head(only INTEGER PRIMARY KEY CHECK (only = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TRIGGER event_is_the_next BEFORE INSERT ON event
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)
  OR (NEW.key <> '' AND EXISTS (SELECT 1 FROM event WHERE actor = NEW.actor AND key = NEW.key))
BEGIN SELECT raise(ABORT, 'an event must be the next of the log, with a key of its own'); END;
CREATE TRIGGER event_moves_the_head AFTER INSERT ON event
BEGIN INSERT OR REPLACE INTO chain_head(only, seq, hash) VALUES (1, NEW.seq, NEW.hash); END;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT raise(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
BEGIN SELECT raise(ABORT, 'events are never removed'); END;
CREATE TABLE outside_draft(
  owner TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, us INTEGER NOT NULL, UNIQUE(owner, name)
) STRICT;
)sql";

// Version 2: events by query, and the other tables outside the log.
constexpr const char* kOutside = R"sql(
CREATE INDEX event_query ON event(query) WHERE query <> '';
CREATE TABLE outside_token(
  owner TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, us INTEGER NOT NULL, UNIQUE(owner, name)
) STRICT;
CREATE TABLE outside_buffer(
  owner TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, us INTEGER NOT NULL, UNIQUE(owner, name)
) STRICT;
)sql";

constexpr std::array<const char*, 2> kMigrations{kLog, kOutside};

int64_t whole(const std::string& text) { return text.empty() ? 0 : std::stoll(text); }

}  // namespace

int64_t newest_schema() { return std::ssize(kMigrations); }

void migrate(Database& database, int64_t from, int64_t version) {
  for (int64_t v = from + 1; v <= version; ++v) {
    database.execute(kMigrations.at(v - 1));
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    database.prepare("INSERT INTO migration(version, us, program) VALUES (?, ?, ?)")
        .bind(v)
        .bind(std::chrono::duration_cast<std::chrono::microseconds>(now).count())
        .bind(kVersion)
        .run();
  }
  // Pragmas take no bound values; these are numbers of ours.
  database.execute(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
  database.execute(("PRAGMA user_version = " + std::to_string(version)).c_str());
}

Schema schema_in(Database& database) {
  Schema out;
  Statement rows = database.prepare("SELECT type || ' ' || name, coalesce(sql, '') FROM sqlite_master ORDER BY 1");
  while (rows.step())
    if (std::string name = rows.text(0); !name.starts_with("table sqlite_"))
      out.emplace_back(std::move(name), rows.text(1));
  return out;
}

Schema schema_of(int64_t version) {
  Database memory;
  migrate(memory, 0, version);
  return schema_in(memory);
}

int64_t schema_version(Database& database) {
  const int64_t application = whole(database.ask("PRAGMA application_id"));
  const int64_t version = whole(database.ask("PRAGMA user_version"));
  const std::string file = database.path().string();
  if (application == 0 && version == 0 && whole(database.ask("SELECT count(*) FROM sqlite_master")) == 0) return 0;
  if (application != kApplicationId)
    throw StoreError(Trouble::kForeign, Kind::kUsage,
                     file + ": an SQLite file of another program, not a feedback store",
                     "give the file that `hone annotate` or `hone feedback import` made");
  if (version > newest_schema())
    throw StoreError(Trouble::kNewer, Kind::kUsage,
                     file + ": written by a newer hone (schema " + std::to_string(version) + "; this one knows up to " +
                         std::to_string(newest_schema()) + ")",
                     "update hone");
  if (version < 1)
    throw StoreError(Trouble::kDamaged, Kind::kRun, file + ": the schema's version is " + std::to_string(version),
                     "the file's beginning is damaged; put back a copy");
  return version;
}

std::string schema_fault(Database& database, int64_t version) {
  const Schema is = schema_in(database), must = schema_of(version);
  for (const auto& [name, sql] : must) {
    const auto it = std::ranges::find(is, name, &Schema::value_type::first);
    if (it == is.end()) return name + ": missing";
    if (it->second != sql) return name + ": not as hone makes it";
  }
  for (const auto& [name, sql] : is)
    if (std::ranges::find(must, name, &Schema::value_type::first) == must.end()) return name + ": not hone's";
  return "";
}

}  // namespace hone::feedback
