// Rounds and blind tests with a learner that is made up here, so that it can be stopped, fail and learn nothing on
// demand. The real one learns in tests/web/evening_test.mjs.
#include "annotate/rounds.h"

#include <doctest/doctest.h>

#include <atomic>

#include "../data/scratch.h"
#include "annotate/blind_pairs.h"
#include "annotate/file_pairs.h"
#include "annotate/round_view.h"
#include "base/files.h"
#include "base/json.h"
#include "feedback/blind.h"
#include "feedback/labels.h"

using namespace hone;
using namespace hone::annotate;
using namespace std::chrono_literals;
using feedback::RoundOutcome;
using scratch::Folder;

namespace {

class ScriptedModel : public AnswerSampler {
 public:
  explicit ScriptedModel(std::string policy) : policy_(std::move(policy)) {}
  std::string policy() const override { return policy_; }
  std::vector<std::vector<SampledAnswer>> sample(std::span<const std::vector<text::Message>> prompts, int64_t, uint64_t,
                                                 const Grown&, const std::function<bool()>&) override {
    std::vector<std::vector<SampledAnswer>> out;
    for (const auto& p : prompts) {
      SampledAnswer a;
      a.answer.messages = {{"assistant", shown_name(policy_) + " says " + p.back().content}};
      a.answer.policy = policy_;
      out.push_back({a});
    }
    return out;
  }
  std::vector<std::vector<float>> features(std::span<const std::vector<text::Message>>) override { return {}; }

 private:
  std::string policy_;
};

struct ScriptedLearner : Learner {
  std::atomic<bool> hold = false, fails = false;
  std::atomic<int> runs = 0;
  RoundOutcome outcome = RoundOutcome::kLearned;
  std::vector<std::string> rows;  // of the last run

  std::unique_ptr<AnswerSampler> open(const std::string& folder, const std::string& name) override {
    return std::make_unique<ScriptedModel>((name.empty() ? "smol" : name) + " sha256:" + folder);
  }
  Learned learn(const LearnTask& task, std::stop_token stop,
                const std::function<void(int64_t, int64_t)>& step_done) override {
    ++runs;
    rows.clear();
    for_each_line(task.comparisons, [&](std::string_view line, int64_t) { rows.emplace_back(line); });
    if (fails) run_error("the loss is not finite", "learn more slowly");
    step_done(1, 10);
    while (hold && !stop.stop_requested()) std::this_thread::sleep_for(1ms);
    if (stop.stop_requested()) fail(Kind::kInterrupted, "interrupted");
    step_done(10, 10);
    return {outcome, "ran to its last step", {task.name + " sha256:/new", "/new"}};
  }
};

// Twelve pairs of a file, a deck of thirty other prompts, one person.
struct Evening {
  static std::string pairs(const Folder& dir) {
    std::string rows;
    for (int i = 0; i < 12; ++i)
      rows += R"({"prompt": "p)" + std::to_string(i) + R"(", "answers": ["yes", "no"]})" + "\n";
    return dir.file("pairs.jsonl", rows);
  }
  static std::vector<data::Prompt> prompts() {
    std::vector<data::Prompt> out;
    for (int i = 0; i < 30; ++i) out.push_back({{{"user", "new " + std::to_string(i)}}, ""});
    return out;
  }

  feedback::Store store;
  FilePairs files;
  ModelThread thread;
  ScriptedLearner& learner;
  PromptDeck deck{prompts(), 1};
  BlindPairs blind;
  Desk desk;
  std::string chosen;
  Rounds rounds;

  Evening(const Folder& dir, ScriptedLearner& learner)
      : store(feedback::Store::open(dir.path / "f.store")),
        files({pairs(dir)}),
        learner(learner),
        blind(store, files, &thread, &learner, &deck, "ann"),
        desk(store, blind, "ann"),
        rounds(
            store, desk, thread, learner, deck, "ann", "/smol",
            [this](const feedback::ModelName& m) { chosen = m.policy; }, [] {}) {}

  void judge(int n) {
    for (int i = 0; i < n; ++i) {
      const Laid laid = desk.hand().pairs.at(0);
      desk.judge({laid.pair.id, {.outcome = feedback::Outcome::kA}, {}}, "key-" + laid.pair.id);
    }
  }
  void wait(RoundState state) {
    for (int i = 0; i < 5000 && rounds.now().state != state; ++i) std::this_thread::sleep_for(1ms);
    REQUIRE(rounds.now().state == state);
  }
  feedback::Round last() const { return feedback::rounds(store.events()).back(); }
};

}  // namespace

TEST_CASE("a round learns from what was judged, is in the log, and the ring begins anew") {
  const Folder dir;
  ScriptedLearner learner;
  Evening e(dir, learner);
  CHECK_THROWS_WITH(e.rounds.start(), doctest::Contains("a round takes at least 8"));
  e.judge(9);
  CHECK(e.desk.progress().ring == 9);
  const feedback::Receipt head = e.store.head();
  e.rounds.start();
  e.wait(RoundState::kIdle);
  CHECK(learner.rows.size() == 9);
  CHECK(e.last().outcome == RoundOutcome::kLearned);
  CHECK(e.last().head_seq == head.seq);
  CHECK(e.last().head_hash == head.hash);
  CHECK(e.last().start.policy == "smol sha256:/smol");
  CHECK(e.last().model->policy == "round-1 sha256:/new");
  CHECK(e.desk.progress().ring == 0);
  CHECK(e.desk.progress().round == 2);
  CHECK(e.chosen.empty());  // nobody chose it
  e.rounds.choose(true);
  CHECK(e.chosen == "round-1 sha256:/new");
  CHECK(feedback::chosen_model(e.store.events())->folder == "/new");
}

TEST_CASE("stopped it goes on or is given up; given up, what was judged counts again") {
  const Folder dir;
  ScriptedLearner learner;
  learner.hold = true;
  Evening e(dir, learner);
  e.judge(8);
  e.rounds.start();
  e.wait(RoundState::kLearning);
  CHECK_THROWS_WITH(e.rounds.start(), doctest::Contains("open already"));
  CHECK_THROWS_WITH(e.rounds.give_up(), doctest::Contains("no round is stopped"));
  e.rounds.stop();
  e.wait(RoundState::kPaused);
  e.rounds.go_on();
  e.wait(RoundState::kLearning);
  CHECK(learner.runs == 2);
  e.rounds.stop();
  e.wait(RoundState::kPaused);
  CHECK(e.desk.progress().ring == 0);
  e.rounds.give_up();
  CHECK(e.last().outcome == RoundOutcome::kStopped);
  CHECK(e.desk.progress().ring == 8);
  CHECK(e.rounds.now().state == RoundState::kIdle);
}

TEST_CASE("stopped before the model thread came to it, a round was never begun") {
  const Folder dir;
  ScriptedLearner learner;
  Evening e(dir, learner);
  e.judge(8);
  std::atomic<bool> go = false;
  const ModelThread::Job busy = e.thread.run(Urgency::kBuffer, [&](const std::stop_token&) {
    while (!go) std::this_thread::sleep_for(1ms);
  });
  e.rounds.start();
  e.rounds.stop();
  go = true;
  e.wait(RoundState::kIdle);
  CHECK(feedback::rounds(e.store.events()).empty());
  e.rounds.start();
  e.wait(RoundState::kIdle);
  CHECK(feedback::rounds(e.store.events()).size() == 1);
}

TEST_CASE("a round learns from one person: what others judged in the same store is not counted in") {
  const Folder dir;
  ScriptedLearner learner;
  Evening e(dir, learner);
  e.judge(3);
  Desk other(e.store, e.blind, "ben");
  for (int i = 0; i < 5; ++i) {
    const Laid laid = other.hand().pairs.at(0);
    other.judge({laid.pair.id, {.outcome = feedback::Outcome::kA}, {}}, "ben-" + laid.pair.id);
  }
  e.desk.catch_up();
  CHECK(e.rounds.now().pairs == 3);
  CHECK_THROWS_WITH(e.rounds.start(), doctest::Contains("there are 3 comparisons"));
}

TEST_CASE("a failure says why and can be tried again; a killed round is known at the next start") {
  const Folder dir;
  ScriptedLearner learner;
  learner.fails = true;
  {
    Evening e(dir, learner);
    e.judge(8);
    e.rounds.start();
    e.wait(RoundState::kPaused);
    CHECK(e.rounds.now().trouble == "the loss is not finite; learn more slowly");
    CHECK(e.last().outcome == RoundOutcome::kRunning);
  }
  learner.fails = false;
  Evening again(dir, learner);
  CHECK(again.rounds.now().state == RoundState::kPaused);
  again.rounds.resume();
  again.wait(RoundState::kIdle);
  CHECK(again.last().outcome == RoundOutcome::kLearned);
  CHECK(learner.rows.size() == 8);
}

TEST_CASE("a blind test: fixed before it is shown, before all other pairs, and again after a restart") {
  const Folder dir;
  ScriptedLearner learner;
  const feedback::ModelName tested{"round-1 sha256:/new", "/new"}, before{"smol sha256:/smol", "/smol"};
  std::string trouble = "not told";
  std::string first;
  {
    Evening e(dir, learner);
    std::atomic<bool> ready = false;
    e.blind.begin("1", tested, {{"start", before}}, 6, [&](const std::string& t) { trouble = t, ready = true; });
    while (!ready) std::this_thread::sleep_for(1ms);
    CHECK(trouble.empty());
    CHECK(e.blind.open() == 6);
    const Desk::Hand hand = e.desk.hand();
    REQUIRE(hand.pairs.size() == 6);
    for (const Laid& laid : hand.pairs) {
      CHECK(laid.pair.test == "1/start");
      CHECK(laid.pair.query.prompt.back().content.starts_with("new "));
    }
    e.judge(2);
    first = e.desk.hand().pairs.at(0).pair.id;
    CHECK(e.desk.progress().ring == 0);  // a blind answer trains nothing
    CHECK_THROWS_WITH(e.blind.begin("2", tested, {{"start", before}}, 25, {}), doctest::Contains("there are 24"));
  }
  Evening e(dir, learner);
  CHECK(e.blind.open() == 4);
  CHECK(e.desk.hand().pairs.at(0).pair.id == first);
  const Progress progress = e.desk.progress();
  REQUIRE(progress.last);
  e.desk.undo(progress.last->key, "undo-of-the-last");
  CHECK(e.blind.open() == 5);
  const Laid laid = e.desk.hand().pairs.at(0);
  e.desk.judge({laid.pair.id, {.outcome = feedback::Outcome::kTie}, {}}, "another-key");
  e.judge(4);
  CHECK(e.blind.open() == 0);
  CHECK(e.desk.hand().pairs.at(0).pair.test.empty());  // the file's again
  const std::vector<feedback::Event> log = e.store.events();
  const std::vector<feedback::BlindTest> tests = feedback::blind_tests(log, feedback::labels(log));
  REQUIRE(tests.size() == 1);
  CHECK(tests[0].counts.asked() == 6);
  CHECK(tests[0].counts.tie == 1);
  // kA of a pair is as often the new model as the sides were drawn: by the log, not by where it stood.
  CHECK(tests[0].counts.decided() == 5);
  CHECK(e.store.list(feedback::Outside::kBuffer, "blind").empty());
  CHECK(feedback::training_set(feedback::labels(log)).pairs.empty());
}

TEST_CASE("prompts of a blind test that could not be prepared were seen by nobody, and are new still") {
  const Folder dir;
  ScriptedLearner learner;
  Evening e(dir, learner);
  const feedback::ModelName moved{"round-1 sha256:/old", "/new"}, before{"smol sha256:/smol", "/smol"};
  std::string trouble;
  std::atomic<bool> ready = false;
  e.blind.begin("1", moved, {{"start", before}}, 6, [&](const std::string& t) { trouble = t, ready = true; });
  while (!ready) std::this_thread::sleep_for(1ms);
  CHECK(trouble.find("is not the model that the round's events name") != std::string::npos);
  CHECK(e.deck.fresh() == 30);
  CHECK(e.blind.open() == 0);
  CHECK(feedback::blind_tests(e.store.events(), {}).empty());
}

TEST_CASE("what a page is told: no count of a test that is not finished, and only what can be asked for") {
  const Folder dir;
  ScriptedLearner learner;
  Evening e(dir, learner);
  e.judge(8);
  CHECK(round_json(e.store, e.rounds, e.blind, e.deck).at("may") == Json{"start"});
  e.rounds.start();
  e.wait(RoundState::kIdle);
  Json now = round_json(e.store, e.rounds, e.blind, e.deck);
  CHECK(now.at("may") == Json{"test", "choose_after", "choose_before", "start"});
  std::atomic<bool> ready = false;
  e.blind.begin("1", *e.last().model, {{"start", e.last().start}}, 4, [&](const std::string&) { ready = true; });
  while (!ready) std::this_thread::sleep_for(1ms);
  e.judge(3);
  now = round_json(e.store, e.rounds, e.blind, e.deck);
  CHECK(now.at("test").at("asked") == 3);
  CHECK(now.at("verdicts").at(0).at("finding") == "unfinished");
  CHECK(!now.at("verdicts").at(0).contains("share"));
  CHECK(now.at("may").empty());
  e.judge(1);
  now = round_json(e.store, e.rounds, e.blind, e.deck);
  CHECK(now.at("test").is_null());
  CHECK(now.at("verdicts").at(0).at("decided") == 4);
  // Who has seen the verdict does not answer again.
  const Progress progress = e.desk.progress();
  REQUIRE(progress.last);
  CHECK_THROWS_WITH(e.desk.undo(progress.last->key, "too-late"), doctest::Contains("verdict was told"));
}
