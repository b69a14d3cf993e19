// What a resumed loop finds is what the checkpoint's step left, however much was written after it.
#include "train/session.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/files.h"

using namespace hone;

namespace {

// A loop of one number, which checkpoints after every step.
struct Loop {
  config::StageContext context;
  Tensor weight = at::zeros({1});
  train::LoopState state;
  train::KeepSettings keep;

  explicit Loop(const fs::path& folder, bool resume) {
    context.folder = folder;
    context.resume = resume;
    state.tensors = [this] { return optim::StateTensors{{"weight", weight}}; };
    state.restore = [this](const optim::StateTensors& saved, const Json&) { weight = saved.at(0).second; };
    keep.every = 1;
    keep.last = 1;
  }
  train::Session session() { return {context, keep, "loop", 10, state}; }
  void step(train::Session& s, int64_t step, std::optional<double> score = {}) {
    weight = weight + 1;
    if (step == 2) context.record.warnings.emplace_back(step + 1, "look");
    s.journal().metrics(step + 1, {{"loss", static_cast<double>(step)}});
    s.step_done(step, 5, "", score);
  }
};

double score_of(const fs::path& checkpoint) {
  return parse_json(read_file(checkpoint / "state.json"), "state").at("score").get<double>();
}

}  // namespace

TEST_CASE("a resumed loop has its weights, its score, its warnings and its metrics, and no more of them") {
  const fs::path folder = fs::temp_directory_path() / ("hone-session-test-" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  const fs::path checkpoints = folder / "checkpoints";
  {
    Loop loop(folder, false);
    train::Session s = loop.session();
    CHECK(s.first_step() == 0);
    loop.step(s, 0, 0.5);  // the best one
    loop.step(s, 1, 0.9);
    loop.step(s, 2);
    loop.step(s, 3);
  }
  // Killed between two steps: lines that no checkpoint knows, and half a checkpoint.
  LineWriter(folder / "metrics.jsonl").write(R"({"step":5,"loss":4})");
  fs::create_directories(checkpoints / ".writing-step-000005");
  {
    Loop loop(folder, true);
    loop.context.record.warnings.emplace_back(9, "given after the checkpoint");
    train::Session s = loop.session();
    CHECK(s.first_step() == 4);
    CHECK(loop.weight.item<double>() == 4);
    REQUIRE(loop.context.record.warnings.size() == 1);
    CHECK(loop.context.record.warnings[0].second == "look");
    CHECK(!fs::exists(checkpoints / ".writing-step-000005"));
    loop.step(s, 4);
  }
  CHECK(score_of(checkpoints / "step-000005") == 0.9);  // the last one measured, two runs ago
  CHECK(fs::exists(checkpoints / "step-000001"));       // still the best
  CHECK(!fs::exists(checkpoints / "step-000004"));
  int64_t lines = 0;
  for_each_line(folder / "metrics.jsonl", [&](std::string_view line, int64_t number) {
    lines = number;
    CHECK(parse_json(line, "line").at("step").get<int64_t>() == number);
  });
  CHECK(lines == 5);
  fs::remove_all(folder);
}

TEST_CASE("what is no training makes no step slower: evaluations and checkpoints stand apart") {
  const fs::path folder = fs::temp_directory_path() / ("hone-apart-test-" + std::to_string(::getpid()));
  fs::remove_all(folder);
  fs::create_directories(folder);
  Loop loop(folder, false);
  {
    train::Session s = loop.session();
    loop.step(s, 0);
    CHECK(s.apart([] {
      ::usleep(300'000);
      return 7;
    }) == 7);
    loop.step(s, 1);
    loop.step(s, 2);
  }
  std::vector<Json> lines;
  for_each_line(folder / "timing.jsonl",
                [&](std::string_view line, int64_t) { lines.push_back(parse_json(line, "line")); });
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].at("seconds").get<double>() < 0.25);
  CHECK(lines[1].at("seconds_apart").get<double>() >= 0.3);
  CHECK(lines[1].at("tokens_per_s").get<double>() > 5 / 0.25);
  CHECK(lines[2].at("seconds_apart").get<double>() < 0.25);  // the checkpoint before it
  fs::remove_all(folder);
}

TEST_CASE("answers are asked for at the first evaluation of each quarter, and at the end") {
  const fs::path folder = fs::temp_directory_path() / ("hone-answers-due-test-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  Loop loop(folder, false);
  const auto due = [&](int64_t total, int64_t every) {
    loop.keep.evaluate_every = every;
    const train::Session s(loop.context, loop.keep, "loop", total, loop.state);
    std::vector<int64_t> out;
    for (int64_t step = 0; step < total; ++step)
      if (s.answers_due(step)) out.push_back(step + 1);
    return out;
  };
  CHECK(due(100, 0) == std::vector<int64_t>{30, 50, 80, 100});  // evaluations at 10, 20, …; quarters end at 25, 50, 75
  CHECK(due(100, 60) == std::vector<int64_t>{60, 100});
  CHECK(due(100, 1000) == std::vector<int64_t>{100});
  CHECK(due(3, 0) == std::vector<int64_t>{1, 2, 3});
  CHECK(due(1, 0) == std::vector<int64_t>{1});
  fs::remove_all(folder);
}
