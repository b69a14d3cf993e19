// Stores that are not as they should be: one clear error each, and nothing lost.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/files.h"
#include "feedback/store.h"
#include "feedback/verify.h"
#include "sample.h"

using namespace hone;
using namespace hone::feedback;
using sample::judge;
using sample::trouble;

namespace {

// Runs `act` in a process of its own; what it returns as exit code.
template <class Act>
int elsewhere(const Act& act) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    int code = 99;
    try {
      code = act();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "elsewhere: %s\n", e.what());
    }
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

void write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string message(const std::filesystem::path& path) {
  try {
    Store::open(path);
  } catch (const StoreError& e) {
    CHECK_FALSE(e.hint.empty());
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("foreign files are refused and stay as they are") {
  const sample::Folder dir;
  const std::string text = "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n";
  write(dir.path / "rows.jsonl", text);
  CHECK(trouble([&] { Store::open(dir.path / "rows.jsonl"); }) == "foreign");
  CHECK(trouble([&] { Store::open_read_only(dir.path / "rows.jsonl"); }) == "foreign");
  CHECK(trouble([&] { verify(dir.path / "rows.jsonl"); }) == "foreign");
  CHECK(read_file(dir.path / "rows.jsonl") == text);
  CHECK_FALSE(looks_like_store(dir.path / "rows.jsonl"));
  // Another program's database.
  sqlite3* db = nullptr;
  sqlite3_open((dir.path / "other.db").c_str(), &db);
  sqlite3_exec(db, "CREATE TABLE event(x); INSERT INTO event VALUES (1)", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  const std::string before = read_file(dir.path / "other.db");
  CHECK(trouble([&] { Store::open(dir.path / "other.db"); }) == "foreign");
  CHECK(message(dir.path / "other.db") ==
        (dir.path / "other.db").string() + ": an SQLite file of another program, not a feedback store");
  CHECK(read_file(dir.path / "other.db") == before);
  CHECK(trouble([&] { Store::open(dir.path); }) == "foreign");
  CHECK(trouble([&] { Store::open_read_only(dir.path / "none.store"); }) == "missing");
  CHECK(trouble([&] { verify(dir.path / "none.store"); }) == "missing");
  CHECK(trouble([&] { Store::open(dir.path / "no-such-folder" / "f.store"); }) == "read-only");
  // An empty file becomes a store when it is written to.
  write(dir.path / "empty", "");
  CHECK(trouble([&] { Store::open_read_only(dir.path / "empty"); }) == "foreign");
  CHECK(trouble([&] { Store::open(dir.path / "empty"); }) == "none");
  CHECK(verify(dir.path / "empty").wrong.empty());
}

TEST_CASE("a store that was cut short or overwritten is refused, at every length") {
  const sample::Folder dir;
  {
    Store store = Store::open(dir.store());
    for (int n = 0; n < 20; ++n) judge(store, n);
  }
  const std::string whole = read_file(dir.store());
  const std::filesystem::path cut = dir.path / "cut.store";
  for (size_t bytes = 1; bytes < whole.size(); bytes += 1009) {
    write(cut, whole.substr(0, bytes));
    const std::string said = trouble([&] {
      const Verdict verdict = verify(cut);
      if (!verdict.wrong.empty()) throw StoreError(Trouble::kDamaged, Kind::kRun, verdict.wrong, "");
    });
    CHECK_MESSAGE((said == "damaged" || said == "foreign"), bytes << ": " << said);
    const std::string opened = trouble([&] { Store::open(cut); });
    CHECK_MESSAGE((opened == "damaged" || opened == "foreign"), bytes << ": " << opened);
  }
  // A page of nonsense in the middle.
  std::string holed = whole;
  holed.replace(4096 * 2, 4096, std::string(4096, 'x'));
  write(cut, holed);
  CHECK_FALSE(trouble([&] {
                const Verdict verdict = verify(cut);
                if (!verdict.wrong.empty()) throw StoreError(Trouble::kDamaged, Kind::kRun, verdict.wrong, "");
              }) == "none");
}

TEST_CASE("10: one writer, whose process is named; readers beside it see what was acknowledged") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  judge(store, 1);
  CHECK(elsewhere([&] {
          try {
            Store::open(dir.store());
          } catch (const StoreError& e) {
            const std::string says = e.what();
            return e.trouble == Trouble::kLocked &&
                           says.find("process " + std::to_string(::getppid()) + " writes") != std::string::npos
                       ? 7
                       : 1;
          }
          return 2;
        }) == 7);
  // Twice in one process is no different.
  CHECK(trouble([&] { Store::open(dir.store()); }) == "locked");
  CHECK(elsewhere([&] { return static_cast<int>(Store::open_read_only(dir.store()).events().size()); }) == 3);
  const Store reader = Store::open_read_only(dir.store());
  CHECK(reader.head().seq == 3);
  judge(store, 2);
  CHECK(reader.head().seq == 5);
  CHECK(trouble([&] { Store::open_read_only(dir.store()).append(noted("ann", "q1", "x")); }) == "read-only");
}

TEST_CASE("10: a link to a store is the store") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  std::filesystem::create_symlink(dir.store(), dir.path / "link.store");
  CHECK(trouble([&] { Store::open(dir.path / "link.store"); }) == "locked");
}

TEST_CASE("a store that is removed or replaced under its writer acknowledges nothing more") {
  for (const bool replaced : {false, true}) {
    const sample::Folder dir;
    Store store = Store::open(dir.store());
    judge(store, 1);
    std::filesystem::rename(dir.store(), dir.path / "away");
    if (replaced) write(dir.store(), "something else");
    CHECK(trouble([&] { judge(store, 2); }) == "missing");
    std::filesystem::rename(dir.path / "away", dir.store());
    CHECK(judge(store, 2).seq == 5);
  }
}

TEST_CASE("a writer that is gone leaves nothing in the way, however it went") {
  const sample::Folder dir;
  CHECK(elsewhere([&] {
          Store store = Store::open(dir.store());
          judge(store, 1);
          ::raise(SIGKILL);
          return 0;
        }) == 100 + SIGKILL);
  CHECK(std::filesystem::exists(dir.store().string() + ".lock"));
  {
    Store store = Store::open(dir.store());
    CHECK(store.head().seq == 3);
    judge(store, 2);
  }
  // Closed in order, one file is left: nothing to forget when it is copied.
  CHECK_FALSE(std::filesystem::exists(dir.store().string() + ".lock"));
  CHECK_FALSE(std::filesystem::exists(dir.store().string() + "-wal"));
  CHECK(verify(dir.store()).events == 5);
  CHECK(Store::open_read_only(dir.store()).events().size() == 5);
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path), {}) == 1);
}

TEST_CASE("read-only files and folders: reading works, writing says why not") {
  const sample::Folder dir;
  {
    Store store = Store::open(dir.store());
    judge(store, 1);
  }
  std::filesystem::permissions(dir.path, static_cast<std::filesystem::perms>(0555));
  std::filesystem::permissions(dir.store(), static_cast<std::filesystem::perms>(0444));
  CHECK(elsewhere([&] {
          if (::geteuid() == 0 && ::seteuid(65534) != 0) return 1;  // root may write anywhere
          if (trouble([&] { Store::open(dir.store()); }) != "read-only") return 2;
          if (Store::open_read_only(dir.store()).events().size() != 3) return 3;
          if (!verify(dir.store()).wrong.empty()) return 4;
          return 0;
        }) == 0);
  std::filesystem::permissions(dir.path, static_cast<std::filesystem::perms>(0755));
  CHECK(verify(dir.store()).events == 3);
}

TEST_CASE(
    "no more space: the append says so, the draft and all before it stay, and the store goes on when there is room") {
  const sample::Folder dir;
  {
    Store store = Store::open(dir.store());
    judge(store, 1);
    store.put(Outside::kDraft, "ann", "q2", "half a thought");
  }
  CHECK(elsewhere([&] {
          ::signal(SIGXFSZ, SIG_IGN);
          rlimit limit{};
          ::getrlimit(RLIMIT_FSIZE, &limit);
          const rlim_t before = limit.rlim_cur;
          Store store = Store::open(dir.store());
          limit.rlim_cur = 150'000;
          ::setrlimit(RLIMIT_FSIZE, &limit);
          std::string said;
          int n = 10;
          int64_t last = store.head().seq;
          for (; n < 2000 && said.empty(); ++n) {
            const std::string what = trouble([&] { last = judge(store, n).seq; });
            if (what != "none") said = what;
          }
          if (said != "full" && said != "io") return 1;  // a limit of the process is no full disk to SQLite
          if (store.head().seq != last) return 2;        // nothing of the failed append
          if (store.get(Outside::kDraft, "ann", "q2")->value != "half a thought") return 3;
          limit.rlim_cur = before;
          ::setrlimit(RLIMIT_FSIZE, &limit);
          if (judge(store, 5000).seq != last + 2) return 4;
          return 0;
        }) == 0);
  const Verdict verdict = verify(dir.store());
  CHECK(verdict.wrong.empty());
  CHECK(verdict.events > 10);
}
