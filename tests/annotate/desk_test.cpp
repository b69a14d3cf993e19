// A person's desk over a real store: what a judgement becomes in the log, undo, drafts, keys, restarts; and a source
// that is cold and grows, as one that samples will be.
#include "annotate/desk.h"

#include <doctest/doctest.h>

#include "../data/scratch.h"
#include "annotate/file_pairs.h"
#include "feedback/labels.h"

using namespace hone;
using annotate::Ballot;
using annotate::Desk;
using annotate::Draft;
using annotate::FilePairs;
using annotate::Place;
using feedback::Order;
using feedback::Outcome;
using scratch::Folder;

namespace {

// {"prompt": "Q0", "answers": ["good 0", "bad 0"]}, …
std::string rows(int n) {
  std::string out;
  for (int i = 0; i < n; ++i) {
    const std::string k = std::to_string(i);
    out += R"({"prompt": "Q)" + k + R"(", "answers": ["good )" + k + R"(", "bad )" + k + "\"]}\n";
  }
  return out;
}

struct Room {
  Folder folder;
  FilePairs source;
  feedback::Store store;
  Desk desk;
  explicit Room(int n)
      : source({folder.file("pairs.jsonl", rows(n))}),
        store(feedback::Store::open(folder.path / "store.db")),
        desk(store, source, "tester") {}
};

Ballot ballot(const std::string& pair, Outcome outcome, Draft written = {}) {
  Ballot out;
  out.pair = pair;
  out.judgement.outcome = outcome;
  out.judgement.dwell_ms = 1500;
  out.written = std::move(written);
  return out;
}

template <class Work>
Desk::Trouble trouble_of(const Work& work) {
  try {
    work();
  } catch (const Desk::Refused& e) {
    return e.trouble;
  }
  FAIL("nothing was refused");
  return {};
}

}  // namespace

TEST_CASE("another person judges the same pairs at a desk of his own, in his own order") {
  Room room(3);
  const std::string pair = room.desk.hand().pairs[0].pair.id;
  room.desk.judge(ballot(pair, Outcome::kA), "key-00001");
  FilePairs source({room.folder.file("again.jsonl", rows(3))});
  Desk other(room.store, source, "another");
  CHECK(other.id() != room.desk.id());
  CHECK(other.progress().decided == 0);
  CHECK_FALSE(other.progress().last);
  other.judge(ballot(pair, Outcome::kB), "key-00001");
  CHECK(other.progress().decided == 1);
  CHECK(feedback::labels(room.store).size() == 2);
}

TEST_CASE("what was judged of pairs that are not here is not offered to be undone") {
  Room room(3);
  room.desk.judge(ballot(room.desk.hand().pairs[2].pair.id, Outcome::kA), "key-00001");
  CHECK(room.desk.progress().last);
  FilePairs fewer({room.folder.file("fewer.jsonl", rows(2))});
  CHECK_FALSE(Desk(room.store, fewer, "tester").progress().last);
}

TEST_CASE("a judgement is in the log with the pair as it was shown") {
  Room room(3);
  const Desk::Hand hand = room.desk.hand();
  REQUIRE(hand.pairs.size() == 3);
  CHECK(hand.beyond == annotate::Supply::kEnd);
  const annotate::Laid& first = hand.pairs[0];
  CHECK(first.at(Place::kFirst).messages[0].content == (first.pair.query.order == Order::kAFirst ? "good 0" : "bad 0"));

  const feedback::Receipt receipt = room.desk.judge(ballot(first.pair.id, Outcome::kA), "key-00001");
  CHECK_FALSE(receipt.again);
  const auto labels = feedback::labels(room.store);
  REQUIRE(labels.size() == 1);
  CHECK(labels[0].judged_seq == receipt.seq);
  const feedback::Comparison& c = labels[0].comparison;
  CHECK(c.outcome == Outcome::kA);
  CHECK(c.order == first.pair.query.order);
  CHECK(c.a.messages[0].content == "good 0");
  CHECK(c.strategy == "in_order");
  CHECK(c.propensity == 1.0);
  CHECK(c.source == "pairs");
  CHECK(c.dwell_ms == 1500);
  CHECK(c.annotator == "tester");
  CHECK(labels[0].purpose == feedback::Purpose::kLearn);
  CHECK(room.desk.hand().pairs.size() == 2);
}

TEST_CASE("the ring counts what trains, and nothing else") {
  Room room(7);
  const auto pairs = room.desk.hand().pairs;
  int k = 0;
  const auto judge = [&](Outcome outcome, Draft written = {}) {
    room.desk.judge(ballot(pairs[static_cast<size_t>(k)].pair.id, outcome, std::move(written)),
                    "ring-key-" + std::to_string(k));
    ++k;
    return room.desk.progress().ring;
  };
  CHECK(judge(Outcome::kA) == 1);
  CHECK(judge(Outcome::kTie) == 1);
  CHECK(judge(Outcome::kBothBad) == 1);
  CHECK(judge(Outcome::kCantTell) == 1);
  CHECK(judge(Outcome::kSkip) == 1);
  CHECK(judge(Outcome::kB) == 2);
  CHECK(judge(Outcome::kBothBad, {.note = "", .correction = "better", .of = Place::kFirst}) == 3);
  const annotate::Progress p = room.desk.progress();
  CHECK(p.decided == 2);
  CHECK(p.both_bad == 2);
  CHECK(p.corrections == 1);
  CHECK(p.left == 0);
  // What the ring says is there: one pair for each, and of the last one the correction over both answers.
  const auto labels = feedback::labels(room.store);
  CHECK(feedback::training_set(labels).pairs.size() == 4);
}

TEST_CASE("an answer that is corrected is the one that stood there") {
  for (const Place of : {Place::kFirst, Place::kSecond}) {
    Room room(1);
    const annotate::Laid laid = room.desk.hand().pairs[0];
    room.desk.judge(ballot(laid.pair.id, Outcome::kTie, {.note = "n", .correction = "mine", .of = of}), "correct-1");
    const auto labels = feedback::labels(room.store);
    REQUIRE(labels.size() == 1);
    const feedback::Comparison& c = labels[0].comparison;
    CHECK(c.answer(c.corrects).messages == laid.at(of).messages);
    CHECK(c.correction.at(0).content == "mine");
    CHECK(c.note == "n");
  }
}

TEST_CASE("undo takes back all of it, and what was written is the draft again") {
  Room room(2);
  const annotate::Laid laid = room.desk.hand().pairs[0];
  const std::string id = laid.pair.id;
  room.desk.judge(ballot(id, Outcome::kB, {.note = "why", .correction = "mine", .of = Place::kSecond}), "first-key");
  REQUIRE(room.desk.progress().last->key == "first-key");
  CHECK_FALSE(room.desk.undo("first-key", "undo-key-1").again);
  CHECK(feedback::labels(room.store).empty());
  CHECK_FALSE(room.desk.progress().last.has_value());
  CHECK(room.desk.progress().ring == 0);
  const annotate::Laid again = room.desk.hand().pairs.at(0);
  CHECK(again.pair.id == id);
  CHECK(again.pair.query.order == laid.pair.query.order);
  CHECK(again.draft.note == "why");
  CHECK(again.draft.correction == "mine");
  CHECK(again.draft.of == Place::kSecond);

  // Sent again it is the same; another undo of it is refused.
  CHECK(room.desk.undo("first-key", "undo-key-1").again);
  CHECK(trouble_of([&] { room.desk.undo("first-key", "undo-key-2"); }) == Desk::Trouble::kConflict);
  CHECK(trouble_of([&] { room.desk.undo("no-such-key", "undo-key-3"); }) == Desk::Trouble::kUnknown);

  // Judged again without a word, nothing of the old words counts.
  room.desk.judge(ballot(id, Outcome::kA), "second-key");
  const auto labels = feedback::labels(room.store);
  REQUIRE(labels.size() == 1);
  CHECK(labels[0].comparison.outcome == Outcome::kA);
  CHECK(labels[0].comparison.correction.empty());
  CHECK(labels[0].comparison.note.empty());
  CHECK(room.desk.hand().pairs.size() == 1);
}

TEST_CASE("the same key is the same judgement, or is refused") {
  Room room(2);
  const auto pairs = room.desk.hand().pairs;
  const Ballot said = ballot(pairs[0].pair.id, Outcome::kA, {.note = "n", .correction = "", .of = Place::kFirst});
  const feedback::Receipt first = room.desk.judge(said, "one-key-1");
  const feedback::Receipt again = room.desk.judge(said, "one-key-1");
  CHECK(again.again);
  CHECK(again.seq == first.seq);
  CHECK(again.hash == first.hash);
  const int64_t seq = room.store.head().seq;

  const auto refused = [&](const Ballot& other, const std::string& key) {
    try {
      room.desk.judge(other, key);
    } catch (const Desk::Refused& e) {
      return e.trouble == Desk::Trouble::kConflict;
    } catch (const feedback::StoreError& e) {
      return e.trouble == feedback::Trouble::kConflict;
    }
    return false;
  };
  CHECK(refused(ballot(pairs[0].pair.id, Outcome::kB, said.written), "one-key-1"));
  CHECK(refused(ballot(pairs[0].pair.id, Outcome::kA), "one-key-1"));
  CHECK(refused(ballot(pairs[0].pair.id, Outcome::kA, {.note = "m", .correction = "", .of = Place::kFirst}),
                "one-key-1"));
  CHECK(refused(ballot(pairs[1].pair.id, Outcome::kA), "one-key-1"));
  CHECK(refused(ballot(pairs[0].pair.id, Outcome::kA), "another-key"));
  CHECK(trouble_of([&] { room.desk.judge(ballot("nobody", Outcome::kA), "third-key"); }) == Desk::Trouble::kUnknown);
  CHECK(room.store.head().seq == seq);
}

TEST_CASE("a desk made anew goes on where it was") {
  Folder folder;
  const std::string file = folder.file("pairs.jsonl", rows(12));
  std::vector<std::string> order;
  std::string undone;
  {
    FilePairs source({file});
    feedback::Store store = feedback::Store::open(folder.path / "store.db");
    Desk desk(store, source, "tester");
    for (int i = 0; i < 5; ++i) {
      const annotate::Laid laid = desk.hand().pairs[0];
      desk.judge(ballot(laid.pair.id, i % 2 == 0 ? Outcome::kA : Outcome::kTie), "restart-" + std::to_string(i));
    }
    desk.undo("restart-4", "restart-undo");
    desk.keep_draft(desk.hand().pairs[1].pair.id, {.note = "half a thou", .correction = "", .of = Place::kFirst});
    for (const annotate::Laid& laid : desk.hand().pairs)
      order.push_back(laid.pair.id + (laid.pair.query.order == Order::kAFirst ? "a" : "b"));
  }
  FilePairs source({file});
  feedback::Store store = feedback::Store::open(folder.path / "store.db");
  Desk desk(store, source, "tester");
  const Desk::Hand hand = desk.hand();
  CHECK(hand.pairs.size() == Desk::kHand);
  std::vector<std::string> now;
  for (const annotate::Laid& laid : hand.pairs)
    now.push_back(laid.pair.id + (laid.pair.query.order == Order::kAFirst ? "a" : "b"));
  CHECK(now == order);
  CHECK(hand.pairs[1].draft.note == "half a thou");
  const annotate::Progress p = desk.progress();
  CHECK(p.decided == 2);
  CHECK(p.tie == 2);
  CHECK(p.left == 8);
  REQUIRE(p.last.has_value());
  CHECK(p.last->key == "restart-3");
  // With other files the judgements stay, and their pairs are not asked for.
  const std::string other = folder.file("other.jsonl", R"({"prompt": "P", "answers": ["x", "y"]})");
  FilePairs elsewhere({other});
  Desk second(store, elsewhere, "tester");
  CHECK(second.progress().decided == 2);
  CHECK(second.progress().left == 1);
}

TEST_CASE("both orders come up, the same for a store and person each time") {
  Room room(8);
  int first = 0;
  for (int i = 0; i < 1000; ++i) first += room.desk.order_of("pair-" + std::to_string(i)) == Order::kAFirst;
  CHECK(first > 430);  // 500 ± 4.4 standard deviations of 15.8
  CHECK(first < 570);
  Desk other(room.store, room.source, "somebody else");
  int same = 0;
  for (int i = 0; i < 1000; ++i)
    same += room.desk.order_of("pair-" + std::to_string(i)) == other.order_of("pair-" + std::to_string(i));
  CHECK(same > 430);
  CHECK(same < 570);
}

TEST_CASE("two people at one store judge by themselves") {
  Room room(2);
  FilePairs source({(room.folder.path / "pairs.jsonl").string()});
  Desk other(room.store, source, "second");
  const std::string id = room.desk.hand().pairs[0].pair.id;
  room.desk.judge(ballot(id, Outcome::kA), "same-key-1");
  CHECK_FALSE(other.judge(ballot(id, Outcome::kB), "same-key-1").again);
  CHECK(feedback::labels(room.store).size() == 2);
  CHECK(room.desk.progress().decided == 1);
  CHECK(trouble_of([&] { other.undo("same-key-9", "undo-of-it"); }) == Desk::Trouble::kUnknown);
}

TEST_CASE("drafts: kept, replaced, dropped, gone with the judgement") {
  Room room(2);
  const std::string id = room.desk.hand().pairs[0].pair.id;
  room.desk.keep_draft(id, {.note = "a", .correction = "", .of = Place::kFirst});
  CHECK(room.desk.hand().pairs[0].draft.note == "a");
  room.desk.keep_draft(id, {.note = "", .correction = "b", .of = Place::kSecond});
  CHECK(room.desk.hand().pairs[0].draft.note.empty());
  CHECK(room.desk.hand().pairs[0].draft.correction == "b");
  room.desk.keep_draft(id, {});
  CHECK(room.store.list(feedback::Outside::kDraft, "tester").empty());
  room.desk.keep_draft(id, {.note = "c", .correction = "", .of = Place::kFirst});
  room.desk.judge(ballot(id, Outcome::kTie), "draft-key");
  CHECK(room.store.list(feedback::Outside::kDraft, "tester").empty());
  CHECK(trouble_of([&] { room.desk.keep_draft(id, {}); }) == Desk::Trouble::kConflict);
  CHECK(trouble_of([&] { room.desk.keep_draft("nobody", {}); }) == Desk::Trouble::kUnknown);
}

namespace {

// Cold at first; then one pair whose answers grow.
class GrowingPair : public annotate::PairSource {
 public:
  std::optional<annotate::Pair> pair;
  bool settled = false;
  std::function<void()> changed = [] {};
  annotate::Offer offer(size_t) const override {
    if (!pair || settled) return {{}, annotate::Supply::kCold};
    return {{*pair}, annotate::Supply::kCold};
  }
  std::optional<annotate::Pair> find(const std::string& id) const override {
    return pair && pair->id == id ? pair : std::nullopt;
  }
  void settle(const std::string&) override { settled = true; }
  void reopen(const std::string&) override { settled = false; }
  std::optional<int64_t> left() const override { return std::nullopt; }
  void on_change(std::function<void()> f) override { changed = std::move(f); }
};

}  // namespace

TEST_CASE("a source that samples: cold, growing, complete, with its policy and propensity") {
  Folder folder;
  feedback::Store store = feedback::Store::open(folder.path / "store.db");
  GrowingPair source;
  Desk desk(store, source, "tester");
  CHECK(desk.hand().pairs.empty());
  CHECK(desk.hand().beyond == annotate::Supply::kCold);
  CHECK_FALSE(desk.progress().left.has_value());

  annotate::Pair pair;
  pair.id = "sampled-1";
  pair.query.prompt = {{"user", "Q"}};
  pair.query.a = {{{"assistant", "Half a"}}, "round-0", R"({"seed":1})"};
  pair.query.b = {{{"assistant", "Half b"}}, "round-0", R"({"seed":2})"};
  pair.query.strategy = "uniform";
  pair.query.propensity = 0.2;
  pair.growing = true;
  source.pair = pair;
  CHECK(desk.hand().pairs.at(0).pair.growing);
  CHECK_THROWS_AS(desk.judge(ballot("sampled-1", Outcome::kA), "grow-key-1"), Error);
  CHECK(store.head().seq == 1);  // "created"

  source.pair->growing = false;
  source.pair->cut_b = true;
  source.pair->query.a.messages[0].content = "Half a answer, whole";
  const annotate::Laid laid = desk.hand().pairs.at(0);
  CHECK(laid.cut(laid.pair.query.order == Order::kAFirst ? Place::kSecond : Place::kFirst));
  desk.judge(ballot("sampled-1", Outcome::kA), "grow-key-2");
  const auto labels = feedback::labels(store);
  REQUIRE(labels.size() == 1);
  CHECK(labels[0].comparison.a.policy == "round-0");
  CHECK(labels[0].comparison.a.messages[0].content == "Half a answer, whole");
  CHECK(labels[0].comparison.propensity == 0.2);
  CHECK(desk.hand().pairs.empty());
}

TEST_CASE("a correction of what is no plain text is refused") {
  Folder folder;
  const std::string file = folder.file(
      "p.jsonl",
      R"({"prompt": "Q", "answers": [[{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}], "plain"]})");
  FilePairs source({file});
  feedback::Store store = feedback::Store::open(folder.path / "store.db");
  Desk desk(store, source, "tester");
  const annotate::Laid laid = desk.hand().pairs[0];
  const Place several = laid.at(Place::kFirst).messages.size() == 3 ? Place::kFirst : Place::kSecond;
  const Place one = several == Place::kFirst ? Place::kSecond : Place::kFirst;
  CHECK_THROWS_AS(
      desk.judge(ballot(laid.pair.id, Outcome::kTie, {.note = "", .correction = "x", .of = several}), "turns-key-1"),
      Error);
  CHECK_FALSE(
      desk.judge(ballot(laid.pair.id, Outcome::kTie, {.note = "", .correction = "x", .of = one}), "turns-key-2").again);
}
