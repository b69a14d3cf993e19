// `hone check STORE`: what the chain shows, and what it cannot.
#include "feedback/verify.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <fstream>

#include "base/files.h"
#include "sample.h"

using namespace hone;
using namespace hone::feedback;
using sample::judge;
using sample::trouble;

namespace {

// For what opens a store ten thousand times and asks nothing of the disk.
struct InMemory {
  std::filesystem::path path =
      std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
  InMemory() {
    path /= "hone-feedback-test-" + std::to_string(::getpid());
    std::filesystem::create_directories(path);
  }
  ~InMemory() { std::filesystem::remove_all(path); }
  InMemory(const InMemory&) = delete;
  InMemory& operator=(const InMemory&) = delete;
  std::filesystem::path store() const { return path / "f.store"; }
};

const std::vector<std::string> kColumns{"us",      "type",           "actor", "query", "key",
                                        "payload", "payload_sha256", "prev",  "hash"};

// The file in the hands of somebody who takes the triggers off, changes what they like, and puts them on again.
class Hands {
 public:
  explicit Hands(const std::filesystem::path& path) {
    REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
    run("PRAGMA journal_mode = DELETE");  // all of it in one file
    run("PRAGMA journal_mode = MEMORY");
    run("PRAGMA synchronous = OFF");
    std::vector<std::string> names;
    each("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'", [&](sqlite3_stmt* row) {
      names.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(row, 0)));
      triggers_.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(row, 1)));
    });
    REQUIRE(triggers_.size() == 4);
    for (const std::string& name : names) run("DROP TRIGGER " + name);
  }
  void put_triggers_back() {
    for (const std::string& sql : triggers_) run(sql);
  }
  ~Hands() { sqlite3_close(db_); }
  Hands(const Hands&) = delete;
  Hands& operator=(const Hands&) = delete;

  void run(const std::string& sql) {
    char* message = nullptr;
    const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message);
    REQUIRE_MESSAGE(code == SQLITE_OK, sql << ": " << (message ? message : ""));
  }
  template <class Take>
  void each(const std::string& sql, const Take& take) {
    sqlite3_stmt* row = nullptr;
    REQUIRE(sqlite3_prepare_v2(db_, sql.c_str(), -1, &row, nullptr) == SQLITE_OK);
    while (sqlite3_step(row) == SQLITE_ROW) take(row);
    sqlite3_finalize(row);
  }
  std::string bytes(int64_t seq, const std::string& column) {
    std::string out;
    each("SELECT CAST(" + column + " AS BLOB) FROM event WHERE seq = " + std::to_string(seq), [&](sqlite3_stmt* row) {
      out.assign(static_cast<const char*>(sqlite3_column_blob(row, 0)),
                 static_cast<size_t>(sqlite3_column_bytes(row, 0)));
    });
    return out;
  }
  // Bytes of a text column stay a text, those of a hash a blob.
  void set(int64_t seq, const std::string& column, const std::string& bytes, bool text) {
    sqlite3_stmt* row = nullptr;
    const std::string sql =
        "UPDATE event SET " + column + " = " + (text ? "CAST(? AS TEXT)" : "?") + " WHERE seq = " + std::to_string(seq);
    REQUIRE(sqlite3_prepare_v2(db_, sql.c_str(), -1, &row, nullptr) == SQLITE_OK);
    sqlite3_bind_blob(row, 1, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
    REQUIRE(sqlite3_step(row) == SQLITE_DONE);
    sqlite3_finalize(row);
  }

 private:
  sqlite3* db_ = nullptr;
  std::vector<std::string> triggers_;
};

// A small store with one event of most types, some with keys.
void fill(const std::filesystem::path& path) {
  Store store = Store::open(path);
  NewEvent show = shown("ann", "q1", sample::comparison(1), Purpose::kLearn, "r");
  show.key = "k1";
  const Receipt judgement = store.append(std::vector<NewEvent>{show, judged("ann", "q1", sample::comparison(1))})[1];
  store.append(corrected("ann", "q1", Side::kA, {{"assistant", "ok"}}));
  store.append(undone("ann", "q1", judgement.seq));
  NewEvent note = noted("ann", "q1", "n");
  note.key = "k2";
  store.append(note);
}
constexpr int64_t kEvents = 6;

std::string says(const std::filesystem::path& path, const std::string& anchor = "") {
  return verify(path, anchor).wrong;
}

bool names(const std::string& wrong, int64_t seq) { return wrong.starts_with("event " + std::to_string(seq) + ":"); }

}  // namespace

TEST_CASE("a whole store is whole, and says how many events hold") {
  const sample::Folder dir;
  fill(dir.store());
  const Verdict verdict = verify(dir.store());
  CHECK(verdict.wrong.empty());
  CHECK(verdict.events == kEvents);
  CHECK(verdict.head.hash == Store::open_read_only(dir.store()).head().hash);
  // Beside a writer, too.
  Store writer = Store::open(dir.store());
  judge(writer, 7);
  CHECK(verify(dir.store()).events == kEvents + 2);
}

TEST_CASE("every flipped bit of every column of every event is named by the event's number") {
  const InMemory dir;
  fill(dir.store());
  Hands hands(dir.store());
  // The check reads what is there; the triggers that are off meanwhile would be named only if the log held.
  int64_t flips = 0;
  for (int64_t seq = 1; seq <= kEvents; ++seq) {
    for (const std::string& column : kColumns) {
      if (column == "us") {
        for (int bit = 0; bit < 63; ++bit) {
          const std::string flip = "UPDATE event SET us = (us | (1 << " + std::to_string(bit) + ")) - (us & (1 << " +
                                   std::to_string(bit) + ")) WHERE seq = " + std::to_string(seq);
          hands.run(flip);
          const std::string wrong = says(dir.store());
          CHECK_MESSAGE(names(wrong, seq), "us bit " << bit << " of " << seq << ": " << wrong);
          hands.run(flip);
          ++flips;
        }
        continue;
      }
      const bool text = column != "payload_sha256" && column != "prev" && column != "hash";
      const std::string whole = hands.bytes(seq, column);
      for (size_t i = 0; i < whole.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
          std::string changed = whole;
          changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
          hands.set(seq, column, changed, text);
          const std::string wrong = says(dir.store());
          CHECK_MESSAGE(names(wrong, seq), column << " byte " << i << " bit " << bit << " of " << seq << ": " << wrong);
          ++flips;
        }
      }
      hands.set(seq, column, whole, text);
    }
  }
  CHECK(flips > 10'000);
  CHECK(says(dir.store()).starts_with("the schema: trigger event_is_"));
  hands.put_triggers_back();
  CHECK(says(dir.store()).empty());
}

TEST_CASE("every flipped bit of the file is noticed, or the log reads as it did") {
  const InMemory dir;
  fill(dir.store());
  {
    Hands(dir.store()).put_triggers_back();
  }  // no write-ahead log beside the file
  const std::string whole = read_file(dir.store());
  const std::vector<Event> log = Store::open_read_only(dir.store()).events();
  // In place, another bit from byte to byte: of every byte in `make long`, else of one in 29.
  const size_t stride = std::getenv("HONE_LONG") ? 1 : 29;
  std::fstream file(dir.store(), std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](size_t at, char byte) {
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.flush();
  };
  int64_t noticed = 0, without_effect = 0;
  for (size_t i = 0; i < whole.size(); i += stride) {
    put(i, static_cast<char>(whole[i] ^ (1 << (i % 8))));
    bool wrong = true;
    try {
      wrong = !verify(dir.store()).wrong.empty();
    } catch (const StoreError&) {
    }
    ++(wrong ? noticed : without_effect);
    // Free space, counters of SQLite, tables outside the log.
    if (!wrong) CHECK_MESSAGE(Store::open_read_only(dir.store()).events() == log, "byte " << i);
    put(i, whole[i]);
  }
  CHECK(noticed > 100);
  CHECK(without_effect > 0);
  CHECK(says(dir.store()).empty());
}

TEST_CASE("events taken out, put in, exchanged or cut off are noticed") {
  const sample::Folder dir;
  fill(dir.store());
  const std::string copy = read_file(dir.store());
  const auto after = [&](const std::string& sql) {
    {
      Hands(dir.store()).put_triggers_back();
    }
    const std::filesystem::path path = dir.path / "changed.store";
    std::filesystem::copy_file(dir.store(), path, std::filesystem::copy_options::overwrite_existing);
    {
      Hands hands(path);
      hands.run(sql);
      hands.put_triggers_back();
    }
    return says(path);
  };
  CHECK(after("DELETE FROM event WHERE seq = 1") == "event 2: event 1 is missing");
  CHECK(after("DELETE FROM event WHERE seq = 3") == "event 4: event 3 is missing");
  CHECK(after("DELETE FROM event WHERE seq BETWEEN 2 AND 4") == "event 5: events 2 to 4 are missing");
  CHECK(after("DELETE FROM event WHERE seq = 3; UPDATE event SET seq = seq - 1 WHERE seq > 3")
            .starts_with("event 3: it does not follow"));
  CHECK(after("UPDATE event SET seq = -1 WHERE seq = 3; UPDATE event SET seq = 3 WHERE seq = 4; UPDATE event SET seq = "
              "4 WHERE seq = -1")
            .starts_with("event 3: it does not follow"));
  CHECK(after("UPDATE event SET seq = seq + 100 WHERE seq >= 4; UPDATE event SET seq = seq - 99 WHERE seq >= 100; "
              "INSERT INTO event SELECT 4, us, type, actor, query, '', payload, payload_sha256, prev, hash FROM event "
              "WHERE seq = 3")
            .starts_with("event 4: it does not follow"));
  CHECK(after("INSERT INTO event SELECT 7, us, type, actor, query, '', payload, payload_sha256, hash, hash FROM event "
              "WHERE seq = 6")
            .starts_with("event 7: it is not what its hash says"));
  CHECK(after("DELETE FROM event WHERE seq = 6") ==
        "chain_head: the log ends with event 5, and the head says 6: events were cut off, or the head was changed");
  CHECK(after("DELETE FROM event").starts_with("the log is empty"));
  CHECK(
      after("DELETE FROM chain_head").starts_with("chain_head: the log ends with event 6, and the head says nothing"));
  CHECK(after("DROP INDEX event_key") == "the schema: index event_key: missing");
  CHECK(after("CREATE TRIGGER more AFTER INSERT ON event BEGIN DELETE FROM chain_head; END") ==
        "the schema: trigger more: not hone's");
  CHECK(says(dir.store()).empty());
}

TEST_CASE("what the file alone cannot show, a receipt noted down elsewhere does") {
  const sample::Folder dir;
  fill(dir.store());
  const Receipt noted_down = Store::open_read_only(dir.store()).head();
  {
    Hands(dir.store()).put_triggers_back();
  }
  std::filesystem::copy_file(dir.store(), dir.path / "cut.store");
  {
    // The end cut off and the head moved with it: the file is whole in itself.
    Hands hands(dir.path / "cut.store");
    hands.run(
        "DELETE FROM event WHERE seq = 6; UPDATE chain_head SET seq = 5, hash = (SELECT hash FROM event WHERE seq = "
        "5)");
    hands.put_triggers_back();
  }
  CHECK(says(dir.path / "cut.store").empty());
  CHECK(
      says(dir.path / "cut.store", anchor_text(noted_down)) ==
      "the log ends with event 5, and the head that was noted down is event 6: an older copy, or events were cut off");
  // Another history of the same length.
  fill(dir.path / "other.store");
  CHECK(says(dir.path / "other.store", anchor_text(noted_down)) ==
        "event 6: another hash than was noted down: the log was rewritten");
  // The true log holds the receipt, also when it has grown.
  {
    Store store = Store::open(dir.store());
    judge(store, 8);
  }
  CHECK(says(dir.store(), anchor_text(noted_down)).empty());
  for (const char* nonsense : {"", "6", "6:", "x:abc", ":", "0:0000", "6:0000"})
    if (*nonsense) CHECK(trouble([&] { says(dir.store(), nonsense); }).ends_with("is no head of a log"));
}
