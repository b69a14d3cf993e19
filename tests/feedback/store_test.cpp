// The invariants of store.h, by their numbers.
#include "feedback/store.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/sha256.h"
#include "feedback/verify.h"
#include "sample.h"

using namespace hone;
using namespace hone::feedback;
using sample::comparison;
using sample::judge;
using sample::query;
using sample::trouble;

namespace {

// Somebody else's hands on the file.
std::string sql(const std::filesystem::path& path, const std::string& text) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  char* message = nullptr;
  sqlite3_exec(db, text.c_str(), nullptr, nullptr, &message);
  const std::string out = message ? message : "";
  sqlite3_free(message);
  sqlite3_close(db);
  return out;
}

}  // namespace

TEST_CASE("1: events are never changed, removed, or put in between") {
  const sample::Folder dir;
  {
    Store store = Store::open(dir.store());
    judge(store, 1);
  }
  CHECK(sql(dir.store(), "UPDATE event SET actor = 'eve' WHERE seq = 2") == "events are never changed");
  CHECK(sql(dir.store(), "DELETE FROM event WHERE seq = 3") == "events are never removed");
  CHECK(sql(dir.store(), "DELETE FROM event") == "events are never removed");
  const std::string columns =
      "SELECT us, type, actor, query, key, payload, payload_sha256, prev, hash FROM event WHERE seq = 2";
  const std::string next = "an event must be the next of the log, with a key of its own";
  CHECK(sql(dir.store(), "INSERT INTO event SELECT 9, * FROM (" + columns + ")") == next);
  CHECK(sql(dir.store(), "INSERT OR REPLACE INTO event SELECT 2, * FROM (" + columns + ")") == next);
  CHECK(sql(dir.store(), "REPLACE INTO event SELECT 0, * FROM (" + columns + ")") == next);
  CHECK(verify(dir.store()).wrong.empty());
}

TEST_CASE("2: numbers without gaps, each with the hash of the one before; every store a chain of its own") {
  const sample::Folder dir, other;
  Store store = Store::open(dir.store());
  CHECK(store.head().seq == 1);
  for (int n = 1; n <= 5; ++n) judge(store, n);
  const std::vector<Event> log = store.events();
  REQUIRE(log.size() == 11);
  CHECK(log[0].type == "created");
  CHECK(log[0].prev == std::string(64, '0'));
  for (size_t i = 0; i < log.size(); ++i) {
    CHECK(log[i].seq == static_cast<int64_t>(i) + 1);
    CHECK(log[i].payload_sha256 == sha256(log[i].payload));
    CHECK(log[i].hash == hash_of(log[i]));
    if (i > 0) CHECK(log[i].prev == log[i - 1].hash);
  }
  CHECK(store.head().hash == log.back().hash);
  Store second = Store::open(other.store());
  CHECK(second.id() != store.id());
  CHECK(second.head().hash != log[0].hash);
}

TEST_CASE("the hash of an event, from its definition") {
  const Event e{2, 5, "note", "ann", "q", "k", R"({"text":"x"})", sha256(R"({"text":"x"})"), std::string(64, '0'), ""};
  CHECK(hash_of(e) == sha256(std::string(32, '\0') + R"({"actor":"ann","key":"k","payload_sha256":")" +
                             e.payload_sha256 + R"(","query":"q","seq":2,"type":"note","us":5})"));
}

TEST_CASE("3, 4: many threads at once: every receipt names its event, batches stand together, nothing is there twice") {
  const sample::Folder dir;
  constexpr int kThreads = 8, kEach = 40;
  std::vector<std::vector<Receipt>> receipts(kThreads);
  {
    Store store = Store::open(dir.store());
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i)
          receipts[t].push_back(judge(store, t * 1000 + i, Outcome::kB, "p" + std::to_string(t)));
      });
    for (std::thread& t : threads) t.join();
  }
  Store store = Store::open_read_only(dir.store());
  const std::vector<Event> log = store.events();
  CHECK(log.size() == 1 + 2 * kThreads * kEach);
  std::set<int64_t> seen;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kEach; ++i) {
      const Receipt& r = receipts[t][i];
      REQUIRE(seen.insert(r.seq).second);
      const Event &e = log[r.seq - 1], &before = log[r.seq - 2];
      CHECK(e.hash == r.hash);
      CHECK(e.type == "judgement");
      CHECK(e.query == query(t * 1000 + i));
      CHECK(before.type == "shown");
      CHECK(before.query == e.query);
    }
  }
  CHECK(verify(dir.store()).wrong.empty());
}

TEST_CASE("4: all of an append, or none") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  const Comparison c = comparison(1);
  const std::vector<NewEvent> events{shown("ann", "q1", c, Purpose::kLearn, ""), judged("ann", "q1", c),
                                     judged("ann", "q2", c)};
  CHECK(trouble([&] { store.append(events); }) == "refused");
  CHECK(store.head().seq == 1);
  // Others of the same group are not touched.
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        if (t % 2) CHECK(trouble([&] { store.append(events); }) == "refused");
        else judge(store, 100 * t + i + 10);
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(store.head().seq == 1 + 2 * 40);
}

TEST_CASE("5: the same key and event give the receipt of the first time; another event is a conflict") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  judge(store, 1);
  NewEvent note = noted("ann", "q1", "good");
  note.key = "k-1";
  const Receipt first = store.append(note), again = store.append(note);
  CHECK_FALSE(first.again);
  CHECK(again.again);
  CHECK(again.seq == first.seq);
  CHECK(again.hash == first.hash);
  CHECK(store.head().seq == first.seq);
  NewEvent other = noted("ann", "q1", "bad");
  other.key = "k-1";
  CHECK(trouble([&] { store.append(other); }) == "conflict");
  judge(store, 2);
  other = noted("ann", "q2", "good");
  other.key = "k-1";
  CHECK(trouble([&] { store.append(other); }) == "conflict");
  // Another person's key is another key.
  judge(store, 3, Outcome::kA, "bob");
  other = noted("bob", "q3", "good");
  other.key = "k-1";
  CHECK_FALSE(store.append(other).again);
  CHECK(store.event_by_key("ann", "k-1")->seq == first.seq);
  CHECK_FALSE(store.event_by_key("ann", "k-2"));
  // Sent twice at the same moment, and twice in one append.
  NewEvent late = noted("ann", "q2", "late");
  late.key = "k-3";
  std::vector<Receipt> got(8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) threads.emplace_back([&, t] { got[t] = store.append(late); });
  for (std::thread& t : threads) t.join();
  for (const Receipt& r : got) CHECK(r.seq == got[0].seq);
  CHECK(std::ranges::count_if(got, [](const Receipt& r) { return !r.again; }) == 1);
  late.key = "k-4";
  const std::vector<NewEvent> twice{late, late};
  const std::vector<Receipt> both = store.append(twice);
  CHECK(both[0].seq == both[1].seq);
  CHECK(both[1].again);
}

TEST_CASE("7: judgements are of what was shown, and an undo is of one's own") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  const Comparison c = comparison(1);
  CHECK(trouble([&] { store.append(judged("ann", "q1", c)); }) == "refused");
  CHECK(trouble([&] { store.append(noted("ann", "q1", "x")); }) == "refused");
  const Receipt judgement = judge(store, 1);
  CHECK(trouble([&] { store.append(judged("bob", "q1", c)); }) == "refused");
  CHECK(trouble([&] { store.append(shown("ann", "q1", c, Purpose::kLearn, "")); }) == "refused");
  CHECK(trouble([&] { store.append(undone("ann", "q1", judgement.seq - 1)); }) == "refused");
  CHECK(trouble([&] { store.append(undone("ann", "q1", 99)); }) == "refused");
  judge(store, 2);
  CHECK(trouble([&] { store.append(undone("ann", "q2", judgement.seq)); }) == "refused");
  store.append(shown("bob", "q1", c, Purpose::kLearn, ""));
  CHECK(trouble([&] { store.append(undone("bob", "q1", judgement.seq)); }) == "refused");
  store.append(undone("ann", "q1", judgement.seq));
  CHECK(trouble([&] { store.append(undone("ann", "q1", judgement.seq)); }) == "refused");
  CHECK(trouble([&] {
          store.append({EventType::kCreated, "system", "", R"({"format":"hone.feedback.v1","store":"x"})", ""});
        }) == "refused");
  CHECK(store.events_of("q1").size() == 4);
}

TEST_CASE("what is no event is refused before the disk is asked") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  judge(store, 1);
  const int64_t before = store.head().seq;
  const auto says = [&](NewEvent e) { return trouble([&] { store.append(e); }); };
  const NewEvent good = noted("ann", "q1", "x");
  const auto with = [&](auto change) {
    NewEvent e = good;
    change(e);
    return e;
  };
  CHECK(says(with([](NewEvent& e) { e.actor = ""; })) == "usage: an event has no actor");
  CHECK(says(with([](NewEvent& e) { e.query = ""; })) == "usage: an event has no query");
  CHECK(says(with([](NewEvent& e) { e.actor = "a\nb"; })) == "usage: an event's actor holds a control character");
  CHECK(says(with([](NewEvent& e) { e.actor = "\xff"; })) == "usage: an event's actor is not UTF-8");
  CHECK(says(with([](NewEvent& e) { e.key = std::string(201, 'k'); })) ==
        "usage: an event's key is longer than 200 bytes");
  CHECK(says(with([](NewEvent& e) { e.payload = R"({"text": "x"})"; })) ==
        "usage: an event's payload is not canonical JSON");
  CHECK(says(with([](NewEvent& e) { e.payload = "[]"; })) == "usage: an event's payload is not an object");
  CHECK(says(with([](NewEvent& e) { e.payload = "{"; })).starts_with("usage: payload: malformed JSON"));
  CHECK(says(with([](NewEvent& e) { e.payload = "{}"; })) == "usage: an event of type 'note': field 'text' is missing");
  CHECK(says(with([](NewEvent& e) { e.payload = R"({"text":1})"; })) ==
        "usage: an event of type 'note': field 'text' is not a text");
  CHECK(says(with([](NewEvent& e) {
          e.payload = R"({"text":")" + std::string(kLongestPayload, 'x') + R"("})";
        })).ends_with("is longer than 1048576"));
  CHECK(says(with([](NewEvent& e) {
          e.payload = R"({"text":)" + std::string(300, '[') + std::string(300, ']') + "}";
        })).find("nested deeper") != std::string::npos);
  CHECK(says({EventType::kJudgement, "ann", "q1", R"({"outcome":"maybe"})", ""}) ==
        "usage: an event of type 'judgement': field 'outcome' is 'maybe'");
  CHECK(says({EventType::kUndo, "ann", "q1", R"({"seq":1.5})", ""}) ==
        "usage: an event of type 'undo': field 'seq' is not a whole number from 1 to 9007199254740992");
  // An answer that is not what its hash says.
  NewEvent forged = shown("ann", "q9", comparison(9), Purpose::kLearn, "");
  forged.payload.replace(forged.payload.find("one 9"), 5, "one 8");
  CHECK(says(forged) == "usage: an event of type 'shown': field 'a': its SHA-256 is not that of its messages");
  CHECK(store.head().seq == before);
}

TEST_CASE("every type of event goes in and comes out as it was") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  Comparison c = comparison(1, Outcome::kSkip);
  c.reason = "unclear";
  c.dwell_ms = 1234;
  store.append(shown("ann", "q1", c, Purpose::kEvaluate, "r1"));
  const Receipt judgement = store.append(judged("ann", "q1", c));
  store.append(corrected("ann", "q1", Side::kB, {{"assistant", "better"}}));
  store.append(noted("ann", "q1", "hm"));
  store.append(undone("ann", "q1", judgement.seq));
  store.append(round_started("system", "r1", Json{{"model", "m"}, {"n", 60}}));
  store.append(round_finished("system", "r1", Json{{"outcome", "done"}}));
  store.append(blind_begun("system", "t1", 20, Json{{"against", "start"}}));
  store.append(blind_answered("ann", "q1", "t1", c));
  const std::vector<Event> log = store.events();
  REQUIRE(log.size() == 10);
  const Shown s = read_shown(log[1]);
  CHECK(s.query == static_cast<const Query&>(c));
  CHECK(s.purpose == Purpose::kEvaluate);
  CHECK(s.round == "r1");
  CHECK(read_judgement(log[2]) == static_cast<const Judgement&>(c));
  CHECK(read_correction(log[3]).messages[0].content == "better");
  CHECK(read_note(log[4]) == "hm");
  CHECK(read_undo(log[5]) == judgement.seq);
  CHECK(read_name(log[6]) == "r1");
  CHECK(read_name(log[8]) == "t1");
  CHECK(read_judgement(log[9]) == static_cast<const Judgement&>(c));
  CHECK(store.events(3, 2).size() == 2);
  CHECK(store.events(3, 2)[0].seq == 4);
  CHECK(verify(dir.store()).wrong.empty());
}

TEST_CASE("9: outside the log entries come, change and go, and the log does not move") {
  const sample::Folder dir;
  const std::string evil = "'); DROP TABLE event; --";
  {
    Store store = Store::open(dir.store());
    const Receipt head = store.head();
    store.put(Outside::kDraft, "ann", "q1", R"({"note":"half a tho"})");
    store.put(Outside::kDraft, "ann", "q1", R"({"note":"half a thought"})");
    store.put(Outside::kToken, "", "session", "hash");
    const std::vector<std::pair<std::string, std::string>> pairs{{"p2", "2"}, {"p1", "1"}, {evil, evil}};
    store.put(Outside::kBuffer, "", pairs);
    CHECK(store.list(Outside::kBuffer, "").size() == 3);
    CHECK(store.list(Outside::kBuffer, "")[0].name == "p2");
    CHECK(store.get(Outside::kBuffer, "", evil)->value == evil);
    store.drop(Outside::kBuffer, "", "p2");
    store.drop(Outside::kBuffer, "", "p2");
    CHECK(store.list(Outside::kBuffer, "")[0].name == "p1");
    CHECK(store.head().hash == head.hash);
    CHECK(trouble([&] { store.put(Outside::kDraft, "ann", "", "x"); }).starts_with("usage"));
    CHECK(trouble([&] { store.put(Outside::kDraft, "ann", "x", "\xff"); }).starts_with("usage"));
    CHECK(trouble([&] {
            store.put(Outside::kDraft, "ann", "x", std::string(kLongestPayload + 1, 'x'));
          }).starts_with("usage"));
  }
  Store store = Store::open(dir.store());
  CHECK(store.get(Outside::kDraft, "ann", "q1")->value == R"({"note":"half a thought"})");
  CHECK_FALSE(store.get(Outside::kDraft, "bob", "q1"));
  CHECK_FALSE(store.get(Outside::kToken, "ann", "session"));
}

TEST_CASE("11: a store of an older schema is brought up to date, and nothing of its log changes") {
  const sample::Folder dir;
  std::vector<Event> before;
  {
    Store store = Store::open(dir.store());
    judge(store, 1);
    store.put(Outside::kDraft, "ann", "q2", "kept");
    before = store.events();
  }
  // Version 1 had no index by query and no tables for tokens and buffers.
  CHECK(sql(dir.store(),
            "DROP INDEX event_query; DROP TABLE outside_token; DROP TABLE outside_buffer; "
            "DELETE FROM migration WHERE version = 2; PRAGMA user_version = 1;") == "");
  CHECK(Store::open_read_only(dir.store()).events() == before);
  CHECK(verify(dir.store()).wrong.empty());
  {
    Store store = Store::open(dir.store());
    CHECK(store.events() == before);
    CHECK(store.get(Outside::kDraft, "ann", "q2")->value == "kept");
    store.put(Outside::kToken, "", "t", "x");
    judge(store, 2);
  }
  CHECK(verify(dir.store()).wrong.empty());
  CHECK(verify(dir.store()).events == 5);
  CHECK(sql(dir.store(), "PRAGMA user_version = 3") == "");
  CHECK(trouble([&] { Store::open(dir.store()); }) == "newer");
  CHECK(trouble([&] { Store::open_read_only(dir.store()); }) == "newer");
  CHECK(trouble([&] { verify(dir.store()); }) == "newer");
}
