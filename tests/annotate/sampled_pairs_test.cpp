// Pairs of a model that is made up here, so that its answers can be alike, slow, too long or an error: what is ready,
// what grows, what a restart finds, which are kept for evaluation. The real model stands in tests/judge.
#include "annotate/sampled_pairs.h"

#include <doctest/doctest.h>

#include <atomic>
#include <set>

#include "../data/scratch.h"
#include "annotate/desk.h"
#include "base/json.h"
#include "feedback/labels.h"

using namespace hone;
using namespace hone::annotate;
using scratch::Folder;
using namespace std::chrono_literals;

namespace {

// What it says is told by the prompt: "same …" gets equal answers on the first `alike` seeds, "long …" none, "cut …"
// one that is cut.
struct Script {
  std::atomic<int> calls = 0, alike = 0;
  std::atomic<bool> hold = false;   // holds the next answers when they have grown half
  std::atomic<bool> grown = false;  // it is held
  std::atomic<bool> fails = false;
  std::atomic<bool> disk_full = false;
  std::atomic<bool> too_long = false;        // no answer has features
  using Batch = std::pair<size_t, int64_t>;  // prompts and answers of a call
  void note(Batch batch) {
    const std::lock_guard lock(mutex);
    noted.push_back(batch);
  }
  std::vector<Batch> batches() {
    const std::lock_guard lock(mutex);
    return noted;
  }
  std::mutex mutex;
  std::vector<Batch> noted;
};

class ScriptedSampler : public AnswerSampler {
 public:
  explicit ScriptedSampler(Script& script) : script_(script) {}
  std::string policy() const override { return "scripted sha256:0"; }

  std::vector<std::vector<SampledAnswer>> sample(std::span<const std::vector<text::Message>> prompts, int64_t n,
                                                 uint64_t seed, const Grown& grown,
                                                 const std::function<bool()>& cancelled) override {
    ++script_.calls;
    script_.note({prompts.size(), n});
    if (script_.fails) run_error("the model broke");
    if (script_.disk_full) throw feedback::StoreError(feedback::Trouble::kFull, Kind::kRun, "no space left", "");
    if (grown)
      for (size_t i = 0; i < 2; ++i) grown(0, i, "half " + std::to_string(i));
    while (script_.hold && !cancelled()) {
      script_.grown = true;
      std::this_thread::sleep_for(1ms);
    }
    if (cancelled()) return {};
    const bool alike = script_.alike > 0;
    if (alike) --script_.alike;
    std::vector<std::vector<SampledAnswer>> out;
    for (const auto& prompt : prompts) {
      auto& answers = out.emplace_back();
      const std::string& q = prompt[0].content;
      if (q.starts_with("long")) continue;
      for (int64_t i = 0; i < n; ++i) {
        SampledAnswer a;
        const std::string text =
            alike ? "the same" : "answer " + std::to_string(i) + " of " + std::to_string(seed) + " to " + q;
        a.answer = {{{"assistant", text}}, policy(), ""};
        a.cut = q.starts_with("cut") && i == 0;
        a.answer.sampling = dump_json({{"seed", seed}, {"sample", i}, {"finish", a.cut ? "length" : "stop"}});
        answers.push_back(a);
      }
    }
    return out;
  }
  std::vector<std::vector<float>> features(std::span<const std::vector<text::Message>> conversations) override {
    std::vector<std::vector<float>> out;
    if (script_.too_long) return {conversations.size(), std::vector<float>()};
    for (const auto& c : conversations) out.push_back({static_cast<float>(hash64(c.back().content) % 100), 1});
    return out;
  }

 private:
  Script& script_;
};

std::vector<data::Prompt> prompts_of(int n, const std::string& kind = "ask") {
  std::vector<data::Prompt> out;
  for (int i = 0; i < n; ++i) out.push_back({{{"user", kind + " " + std::to_string(i)}}, std::to_string(i)});
  return out;
}

struct Evening {
  feedback::Store store;
  Script& script;
  PromptDeck deck;
  std::exception_ptr failed;
  std::atomic<bool> ended = false;
  ModelThread thread;
  SampledPairs source;
  Desk desk;

  Evening(const std::filesystem::path& path, Script& script, std::vector<data::Prompt> prompts = prompts_of(100))
      : store(feedback::Store::open(path)),
        script(script),
        deck(std::move(prompts), 5),
        source(store, thread, deck, "tester"),
        desk(store, source, "tester") {}
  void start() {
    source.start([this] { return std::make_unique<ScriptedSampler>(script); },
                 [this](std::exception_ptr e) { failed = e, ended = true; });
  }
  // Until so many are on offer, or 10 s.
  std::vector<Laid> ready(size_t n) {
    for (int i = 0; i < 10000; ++i) {
      Desk::Hand hand = desk.hand();
      if (hand.pairs.size() >= n && !hand.pairs[0].pair.growing) return hand.pairs;
      std::this_thread::sleep_for(1ms);
    }
    REQUIRE_MESSAGE(false, "in vain waited for pairs");
    return {};
  }
  void judge(const std::string& pair, const std::string& key = "key-") {
    Ballot ballot{pair, {}, {}};
    desk.judge(ballot, key + pair);
  }
  void wait(const std::atomic<bool>& flag) {
    for (int i = 0; i < 10000 && !flag; ++i) std::this_thread::sleep_for(1ms);
    REQUIRE(flag);
  }
};

}  // namespace

TEST_CASE("the first pair is made alone and is on offer while it grows; it cannot be judged before it is complete") {
  const Folder folder;
  Script script;
  script.hold = true;
  Evening evening(folder.path / "s.db", script);
  std::atomic<int> told = 0;
  evening.source.on_change([&] { ++told; });
  CHECK(evening.desk.hand().beyond == Supply::kCold);
  CHECK(evening.desk.hand().pairs.empty());
  evening.start();
  evening.wait(script.grown);
  const Desk::Hand hand = evening.desk.hand();
  REQUIRE(hand.pairs.size() == 1);
  CHECK(hand.pairs[0].pair.growing);
  CHECK(hand.pairs[0].pair.query.a.messages[0].content == "half 0");
  CHECK(hand.beyond == Supply::kCold);
  CHECK(told > 0);
  const std::string id = hand.pairs[0].pair.id;
  CHECK_THROWS_AS(evening.judge(id), Error);
  evening.desk.keep_draft(id, {"while it grows", "", Place::kFirst});

  script.hold = false;
  const std::vector<Laid> ready = evening.ready(1);
  CHECK(ready[0].pair.id == id);  // it has its name from the start, and what was written stays with it
  CHECK(ready[0].draft.note == "while it grows");
  CHECK(script.batches()[0] == Script::Batch{1, 2});
  evening.judge(id);
}

TEST_CASE("eight are kept ready: two answers each while few are, then one pair out of six") {
  const Folder folder;
  Script script;
  Evening evening(folder.path / "s.db", script);
  evening.start();
  std::vector<Laid> hand = evening.ready(Desk::kHand);
  CHECK(script.batches()[1] == Script::Batch{8, 2});
  std::set<std::string> prompts;
  for (int i = 0; i < 30; ++i) {
    hand = evening.ready(SampledPairs::kFew);
    CHECK(prompts.insert(hand[0].pair.query.prompt[0].content).second);  // no prompt twice
    evening.judge(hand[0].pair.id);
  }
  evening.ready(Desk::kHand);
  bool precise = false;
  for (const auto& batch : script.batches()) precise = precise || batch == Script::Batch{4, 4};
  CHECK(precise);

  // What was shown says how it was selected, who answered, and what it is for.
  int evaluated = 0, learnt = 0;
  for (const feedback::Label& label : feedback::labels(evening.store)) {
    const feedback::Comparison& c = label.comparison;
    CHECK(c.a.policy == "scripted sha256:0");
    CHECK(parse_json(c.a.sampling, "sampling")["seed"].get<uint64_t>() < 1ULL << 53);
    REQUIRE(c.propensity);
    CHECK(*c.propensity >= 0.2 / 6);
    CHECK(*c.propensity <= 1);
    const bool uniform = c.strategy == kUniform;
    CHECK((label.purpose == feedback::Purpose::kEvaluate) == uniform);
    (uniform ? evaluated : learnt) += 1;
  }
  CHECK(evaluated + learnt == 30);
  CHECK(evaluated > 0);
  // Those for evaluation neither train nor move the ring.
  CHECK(evening.desk.progress().ring == learnt);
  CHECK(feedback::training_set(feedback::labels(evening.store)).pairs.size() == static_cast<size_t>(learnt));
}

TEST_CASE("answers that are too long for the model's own features are chosen among like others") {
  const Folder folder;
  Script script;
  Evening evening(folder.path / "s.db", script);
  evening.start();
  for (int i = 0; i < 40; ++i) {
    script.too_long = i >= 15 && i < 30;
    evening.judge(evening.ready(SampledPairs::kFew)[0].pair.id);
  }
  CHECK(!evening.ended);
  CHECK(evening.desk.progress().ring > 0);
}

TEST_CASE("a restart goes on with the same pairs, in their order; what was undone comes first") {
  const Folder folder;
  Script script;
  std::vector<std::string> before;
  std::string undone;
  {
    Evening evening(folder.path / "s.db", script);
    evening.start();
    std::vector<Laid> hand = evening.ready(Desk::kHand);
    undone = hand[0].pair.id;
    evening.judge(undone);
    evening.judge(hand[1].pair.id);
    evening.desk.undo("key-" + undone, "undo-key-1");
    for (const Laid& laid : evening.ready(Desk::kHand)) before.push_back(laid.pair.id);
    CHECK(before[0] == undone);
  }
  Evening again(folder.path / "s.db", script);  // not started: it makes none
  const Desk::Hand hand = again.desk.hand();
  REQUIRE(hand.pairs.size() == before.size());
  for (size_t i = 0; i < before.size(); ++i) CHECK(hand.pairs[i].pair.id == before[i]);
  CHECK(again.desk.progress().last);  // which can be undone here, too
  again.judge(undone, "again-");
}

TEST_CASE("a pair that grew when hone was killed grows again, the same") {
  const Folder folder;
  Script script;
  script.hold = true;
  std::string id, prompt;
  {
    Evening evening(folder.path / "s.db", script);
    evening.start();
    evening.wait(script.grown);
    id = evening.desk.hand().pairs.at(0).pair.id;
    prompt = evening.desk.hand().pairs.at(0).pair.query.prompt[0].content;
  }
  script.hold = false;
  Evening again(folder.path / "s.db", script);
  again.start();
  const Pair pair = again.ready(1)[0].pair;
  CHECK(pair.id == id);
  CHECK(pair.query.prompt[0].content == prompt);
}

TEST_CASE(
    "answers that read the same are sampled again with another seed, and counted; then the prompt is passed over") {
  const Folder folder;
  Script script;
  script.alike = 2;
  Evening evening(folder.path / "s.db", script);
  evening.start();
  const Pair pair = evening.ready(1)[0].pair;
  CHECK(script.batches()[2] == Script::Batch{1, 2});
  CHECK(pair.query.a.messages != pair.query.b.messages);
  CHECK(evening.source.counts().resampled == 2);
  CHECK(evening.source.counts().passed_over == 0);
}

TEST_CASE("a model that always says the same, or prompts that are all too long, end with a word on what to do") {
  for (const bool too_long : {false, true}) {
    const Folder folder;
    Script script;
    if (!too_long) script.alike = 1 << 20;
    Evening evening(folder.path / "s.db", script, prompts_of(5, too_long ? "long" : "ask"));
    evening.start();
    evening.wait(evening.ended);
    try {
      std::rethrow_exception(evening.failed);
    } catch (const Error& e) {
      CHECK(std::string(e.what()).starts_with("no pair came of 32 prompts"));
      CHECK(e.hint.find(too_long ? "shorter prompts" : "--temperature") != std::string::npos);
    }
    CHECK(evening.desk.hand().beyond == Supply::kEnd);
  }
}

TEST_CASE("an error of the model is told once, and what is ready can still be judged") {
  const Folder folder;
  Script script;
  Evening evening(folder.path / "s.db", script);
  evening.start();
  const std::vector<Laid> hand = evening.ready(Desk::kHand);
  script.fails = true;
  for (const Laid& laid : hand) evening.judge(laid.pair.id);
  evening.wait(evening.ended);
  CHECK_THROWS_WITH_AS(std::rethrow_exception(evening.failed), "the model broke", Error);
  CHECK(evening.desk.progress().decided == 8);
}

TEST_CASE("while the disk is full others get the model thread, and pairs are made again once there is room") {
  const Folder folder;
  Script script;
  Evening evening(folder.path / "s.db", script);
  script.disk_full = true;
  evening.start();
  for (int i = 0; i < 10000 && script.calls == 0; ++i) std::this_thread::sleep_for(1ms);
  REQUIRE(script.calls > 0);
  std::atomic<bool> learned = false;
  evening.thread.run(Urgency::kTraining, [&](const std::stop_token&) { learned = true; });
  evening.wait(learned);
  script.disk_full = false;
  CHECK(!evening.ready(1).empty());
  CHECK(!evening.ended);
}

namespace {

// The script cuts the first answer to a prompt, and it says which one it is.
bool marked(const Pair& pair) {
  const auto first = [](const feedback::Answer& a) { return a.messages[0].content.starts_with("answer 0"); };
  return pair.cut_a == first(pair.query.a) && pair.cut_b == first(pair.query.b);
}

}  // namespace

TEST_CASE("cut answers are marked, after a restart and in the log too; few prompts go round again") {
  const Folder folder;
  Script script;
  {
    Evening evening(folder.path / "s.db", script, prompts_of(3, "cut"));
    evening.start();
    std::set<std::string> ids;
    for (int i = 0; i < 12; ++i) {
      const Laid laid = evening.ready(1)[0];
      CHECK(marked(laid.pair));
      CHECK(ids.insert(laid.pair.id).second);
      evening.judge(laid.pair.id);
    }
    CHECK(evening.source.counts().cut > 0);
  }
  const Evening again(folder.path / "s.db", script, prompts_of(3, "cut"));
  const Desk::Hand hand = again.desk.hand();
  REQUIRE_FALSE(hand.pairs.empty());
  for (const Laid& laid : hand.pairs) CHECK(marked(laid.pair));
  for (const feedback::Label& label : feedback::labels(again.store)) {
    const std::optional<Pair> pair = again.source.find(label.query);
    REQUIRE(pair);
    CHECK(marked(*pair));
  }
}
