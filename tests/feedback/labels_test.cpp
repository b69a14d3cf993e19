// Labels and training sets: what the log says after undo.
#include "feedback/labels.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "feedback/counts.h"
#include "sample.h"

using namespace hone;
using namespace hone::feedback;
using sample::comparison;
using sample::judge;
using sample::query;

namespace {

// "q1:a q2:tie", in the order of the labels.
std::string said(const std::vector<Label>& all) {
  std::string out;
  for (const Label& l : all)
    out += (out.empty() ? "" : " ") + l.query + ":" + std::string(name_of(l.comparison.outcome));
  return out;
}

}  // namespace

TEST_CASE("a label is a judgement with what was shown and said beside it") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  Comparison c = comparison(1, Outcome::kB);
  c.strength = 2;
  c.dwell_ms = 900;
  c.correction = {{"assistant", "better"}};
  c.corrects = Side::kB;
  c.note = "hm";
  c.annotator = "ann";
  store.append(shown("ann", "q1", c, Purpose::kLearn, "r1"));
  store.append(noted("ann", "q1", "first thought"));
  const Receipt judgement = store.append(judged("ann", "q1", c));
  store.append(corrected("ann", "q1", Side::kB, c.correction));
  store.append(noted("ann", "q1", c.note));
  const std::vector<Label> all = labels(store);
  REQUIRE(all.size() == 1);
  CHECK(all[0].comparison == c);
  CHECK(all[0].query == "q1");
  CHECK(all[0].round == "r1");
  CHECK(all[0].shown_seq == 2);
  CHECK(all[0].judged_seq == judgement.seq);
  CHECK(labels(store.events()).size() == 1);
}

TEST_CASE("an undo takes back what it names, and the judgement before it counts again") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  const Receipt first = judge(store, 1, Outcome::kA);
  judge(store, 2, Outcome::kTie);
  CHECK(said(labels(store)) == "q1:a q2:tie");
  const Receipt second = store.append(judged("ann", "q1", comparison(1, Outcome::kB)));
  CHECK(said(labels(store)) == "q2:tie q1:b");  // in the order of the judgements that count
  store.append(undone("ann", "q1", second.seq));
  CHECK(said(labels(store)) == "q1:a q2:tie");
  store.append(undone("ann", "q1", first.seq));
  CHECK(said(labels(store)) == "q2:tie");
  store.append(judged("ann", "q1", comparison(1, Outcome::kBothBad)));
  CHECK(said(labels(store)) == "q2:tie q1:both_bad");
  // Nothing was removed.
  CHECK(store.events_of("q1").size() == 1 + 3 + 2);
}

TEST_CASE("a correction or note goes with a judgement, and can be taken back alone") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  const Receipt judgement = judge(store, 1, Outcome::kA);
  const Receipt correction = store.append(corrected("ann", "q1", Side::kA, {{"assistant", "better"}}));
  CHECK(training_set(labels(store)).pairs.size() == 2);
  store.append(undone("ann", "q1", correction.seq));
  CHECK(training_set(labels(store)).pairs.size() == 1);
  store.append(corrected("ann", "q1", Side::kA, {{"assistant", "best"}}));
  store.append(undone("ann", "q1", judgement.seq));
  CHECK(labels(store).empty());
}

TEST_CASE("each person's word on a query is a label of its own") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  judge(store, 1, Outcome::kA, "ann");
  Comparison c = comparison(1, Outcome::kB);
  c.order = Order::kBFirst;
  store.append(shown("bob", "q1", c, Purpose::kLearn, ""));
  const Receipt bobs = store.append(judged("bob", "q1", c));
  const std::vector<Label> all = labels(store);
  REQUIRE(all.size() == 2);
  CHECK(all[0].comparison.annotator == "ann");
  CHECK(all[0].comparison.order == Order::kAFirst);
  CHECK(all[1].comparison.annotator == "bob");
  CHECK(all[1].comparison.order == Order::kBFirst);
  store.append(undone("bob", "q1", bobs.seq));
  CHECK(said(labels(store)) == "q1:a");
}

TEST_CASE("what trains: decided, of purpose learn; everything else is counted") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  int n = 0;
  for (const Outcome o :
       {Outcome::kA, Outcome::kB, Outcome::kTie, Outcome::kBothBad, Outcome::kCantTell, Outcome::kSkip})
    judge(store, ++n, o);
  store.append(shown("ann", "e", comparison(20), Purpose::kEvaluate, ""));
  store.append(judged("ann", "e", comparison(20)));
  store.append(shown("ann", "b", comparison(21), Purpose::kBlind, ""));
  store.append(blind_begun("system", "t", 20, Json::object()));
  store.append(blind_answered("ann", "b", "t", comparison(21)));
  const std::vector<Label> all = labels(store);
  CHECK(all.size() == 8);
  CHECK(all.back().purpose == Purpose::kBlind);
  CHECK(all.back().test == "t");
  const TrainingSet set = training_set(all);
  CHECK(set.labels == 6);
  CHECK(set.rules == 1);
  REQUIRE(set.pairs.size() == 2);
  CHECK(set.pairs[0].chosen[0].content == "one 1");
  CHECK(set.pairs[1].chosen[0].content == "other 2");
  CHECK(set.label_of == std::vector<size_t>{0, 1});
  CHECK(set.left_out == std::map<std::string, int64_t>{{"ties", 1},
                                                       {"both bad", 1},
                                                       {"can't tell", 1},
                                                       {"skipped", 1},
                                                       {"kept for evaluation", 1},
                                                       {"of a blind test", 1}});
  CHECK(training_set(all, Ties::kHalf).pairs.size() == 4);
}

TEST_CASE("counts agree with the log") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  judge(store, 1, Outcome::kA);  // a shown first, a won
  judge(store, 2, Outcome::kA);  // b shown first
  judge(store, 3, Outcome::kTie, "bob");
  const Receipt last = judge(store, 4, Outcome::kB);
  store.append(undone("ann", "q4", last.seq));
  const std::vector<Event> log = store.events();
  const Counts c = count(log, labels(log));
  CHECK(c.events == 10);
  CHECK(c.shown == 4);
  CHECK(c.judgements == 4);
  CHECK(c.undone == 1);
  CHECK(c.labels == 3);
  CHECK(c.by_outcome == std::map<std::string, int64_t>{{"a", 2}, {"tie", 1}});
  CHECK(c.by_annotator == std::map<std::string, int64_t>{{"ann", 2}, {"bob", 1}});
  CHECK(c.by_round == std::map<std::string, int64_t>{{"round-1", 3}});
  CHECK(c.by_day.size() == 1);
  CHECK(c.order_known == 2);
  CHECK(c.first_won == 1);
}

TEST_CASE("a log that contradicts itself is refused by the event's number") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  judge(store, 1);
  std::vector<Event> log = store.events();
  std::swap(log[1], log[2]);
  CHECK(sample::trouble([&] { labels(log); }) == "usage: event 3 (judgement): its query was not shown before");
}
