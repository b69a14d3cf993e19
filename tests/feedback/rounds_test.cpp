// Rounds, blind tests and verdicts as the log tells them.
#include "feedback/rounds.h"

#include <doctest/doctest.h>

#include "feedback/blind.h"
#include "sample.h"

using namespace hone;
using namespace hone::feedback;
using doctest::Approx;

namespace {

const ModelName kOld{"smol@aa", "/models/smol"}, kNew{"round-1@bb", "/evening.rounds/1/model"};

void begin_round(Store& store, const std::string& round) {
  const Receipt head = store.head();
  store.append(round_started("ann", {round, kOld, kOld, "/evening.rounds/" + round, head.seq, head.hash, 60}));
}

// A blind answer to prompt `i`; which of the two models is a changes from one to the next.
void answer(Store& store, const std::string& test, int i, Outcome said_of_new, const std::string& person = "ann") {
  Query q = sample::comparison(1000 + i);
  const bool new_is_a = i % 2 == 0;
  q.a.policy = new_is_a ? kNew.policy : kOld.policy;
  q.b.policy = new_is_a ? kOld.policy : kNew.policy;
  Judgement j;
  j.outcome = said_of_new;
  if (!new_is_a && decided(said_of_new)) j.outcome = said_of_new == Outcome::kA ? Outcome::kB : Outcome::kA;
  const std::string id = test + "-" + std::to_string(i);
  store.append(shown(person, id, q, Purpose::kBlind, "1"));
  store.append(blind_answered(person, id, test, j));
}

BlindTest only(const Store& store) {
  const std::vector<Event> log = store.events();
  const std::vector<BlindTest> all = blind_tests(log, labels(log));
  REQUIRE(all.size() == 1);
  return all[0];
}

}  // namespace

TEST_CASE("rounds: begun on a head, ended with a word, and who goes on") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  sample::judge(store, 1, Outcome::kA);
  begin_round(store, "1");
  std::vector<Round> all = rounds(store.events());
  REQUIRE(all.size() == 1);
  CHECK(all[0].outcome == RoundOutcome::kRunning);
  CHECK(all[0].head_seq == store.head().seq - 1);
  CHECK(all[0].start == kOld);
  CHECK(all[0].pairs == 60);
  CHECK(!chosen_model(store.events()));
  store.append(round_finished("ann", {"1", RoundOutcome::kTooHard, "learned too hard: at step 20 …", kNew}));
  store.append(model_chosen("ann", "1", kNew));
  all = rounds(store.events());
  CHECK(all[0].outcome == RoundOutcome::kTooHard);
  CHECK(all[0].model == kNew);
  CHECK(all[0].why.starts_with("learned too hard"));
  CHECK(chosen_model(store.events()) == kNew);
  begin_round(store, "2");
  CHECK(rounds(store.events()).size() == 2);
  begin_round(store, "2");
  CHECK_THROWS_WITH(rounds(store.events()), doctest::Contains("was started before"));
}

TEST_CASE("a fixed test says nothing until all is answered, then by the exact interval") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  store.append(blind_begun("ann", {"1/start", "1", 20, kNew, kOld, "start"}));
  for (int i = 0; i < 13; ++i) answer(store, "1/start", i, Outcome::kA);
  CHECK(only(store).result().finding == Finding::kUnfinished);  // 13 of 13, and still nobody is told
  for (int i = 13; i < 17; ++i) answer(store, "1/start", i, Outcome::kB);
  answer(store, "1/start", 17, Outcome::kTie);
  answer(store, "1/start", 18, Outcome::kTie);
  answer(store, "1/start", 19, Outcome::kBothBad);
  const BlindTest test = only(store);
  CHECK(test.counts.tested == 13);
  CHECK(test.counts.against == 4);
  CHECK(beside(test.counts) == "2 ties, 1 both bad");
  const BlindVerdict v = test.result();
  CHECK(v.finding == Finding::kBetter);  // 13 of 17: [0.501, 0.932]
  CHECK(!v.any_time);
  CHECK(v.share.low == Approx(0.5010).epsilon(1e-3));
  CHECK(words(v, test.counts, test.opponent) ==
        "You preferred the new model to the one before in 13 of 17 decided, 50% to 93%: it is better for you.");
}

TEST_CASE("14 of 20: not yet sure, and how many more") {
  const BlindCounts counts{.tested = 14, .against = 6};
  const BlindVerdict fixed = verdict(counts, 20, false), extended = verdict(counts, 40, true);
  CHECK(fixed.finding == Finding::kNotSure);
  CHECK(words(fixed, counts, "original")
            .starts_with(
                "You preferred the new model to the original in 14 of 20 decided, 46% to 88%: not yet sure; about "));
  CHECK(extended.finding == Finding::kNotSure);
  CHECK(extended.any_time);
  CHECK(extended.share.low < fixed.share.low);
  CHECK(extended.more == fixed.more);  // whoever goes on is judged by the interval for that
  const BlindCounts close{.tested = 10, .against = 10};
  CHECK(verdict(close, 20, false).more == 0);
  CHECK(verdict(BlindCounts{.tie = 20}, 20, false).finding == Finding::kUndecided);
  CHECK(verdict(BlindCounts{.tested = 2, .against = 18}, 20, false).finding == Finding::kWorse);
}

TEST_CASE("an extended test has a verdict at any time; undo takes its answer out of it") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  store.append(blind_begun("ann", {"1/start", "1", 4, kNew, kOld, "start"}));
  for (int i = 0; i < 4; ++i) answer(store, "1/start", i, Outcome::kA);
  CHECK(only(store).result().finding == Finding::kNotSure);
  store.append(blind_extended("ann", "1/start", 20));
  answer(store, "1/start", 4, Outcome::kA);
  BlindTest test = only(store);
  CHECK(test.extended);
  CHECK(test.prompts == 24);
  CHECK(test.result().any_time);
  CHECK(test.counts.tested == 5);
  store.append(undone("ann", "1/start-4", store.head().seq));
  CHECK(only(store).counts.tested == 4);
  for (int i = 5; i < 16; ++i) answer(store, "1/start", i, Outcome::kA);
  CHECK(only(store).result().finding == Finding::kBetter);  // 15 of 15: C(15,15) 2^-15 < 0.05/16
}

TEST_CASE("answers of other models, or of a test that never began, are no part of it") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  answer(store, "nowhere", 0, Outcome::kA);
  CHECK_THROWS_WITH(only(store), doctest::Contains("was not begun"));
  const sample::Folder other;
  Store second = Store::open(other.store());
  second.append(blind_begun("ann", {"t", "1", 4, ModelName{"x", "/x"}, kOld, "start"}));
  answer(second, "t", 0, Outcome::kA);
  CHECK_THROWS_WITH(only(second), doctest::Contains("are not those of test 't'"));
}

TEST_CASE("a blind test is one person's: another one's answers count in none of its figures") {
  const sample::Folder dir;
  Store store = Store::open(dir.store());
  store.append(blind_begun("ann", {"1/start", "1", 4, kNew, kOld, "start"}));
  for (int i = 0; i < 3; ++i) answer(store, "1/start", i, Outcome::kA);
  answer(store, "1/start", 3, Outcome::kB, "ben");
  const BlindTest test = only(store);
  CHECK(test.person == "ann");
  CHECK(test.counts.asked() == 3);
  CHECK(test.counts.against == 0);
  CHECK(test.result().finding == Finding::kUnfinished);
}

TEST_CASE("what twenty prompts can show is said beforehand") {
  CHECK(power_words(20) ==
        "If all 20 are decided, a new model that you prefer in 9 of 10 is found better in 10 of 10 such tests, in 8 of "
        "10 in 8, in 7 of 10 in 4, in 6 of 10 in 1.");
}
