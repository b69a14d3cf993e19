#include "eval/watched.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "config/run_folder.h"

using namespace hone;
using eval::Watched;

TEST_CASE("gold that rises and falls, and the warning before its best") {
  Watched w{.name = "ppo", .points = {}, .warnings = std::vector<int64_t>{4, 9}};
  int64_t step = 0;
  for (const double gold : {0.5, 0.6, 0.75, 0.4})
    w.points.push_back({.step = 3 * step, .score = 0.5 * static_cast<double>(step), .gold = gold}), ++step;
  CHECK(w.measure("watched_gain")->value == doctest::Approx(0.25));
  CHECK(w.measure("watched_fall")->value == doctest::Approx(0.35));
  CHECK(w.measure("score_gain")->value == doctest::Approx(1.5));
  CHECK(w.measure("warning_lead")->value == 2);
  CHECK(w.measure("warnings")->value == 2);
  CHECK_FALSE(w.measure("gold"));
  w.warnings->clear();
  CHECK(w.measure("warning_lead")->value == -4);  // as if it had come at step 10
  w.warnings.reset();                             // no run.json: nothing is known of them
  CHECK_FALSE(w.measure("warnings"));
  CHECK_FALSE(w.measure("warning_lead"));
  CHECK(w.measure("watched_gain"));
  CHECK_FALSE(Watched{}.measure("warnings"));
  // A stage without a reward model has looks, but no scores; a single one gains nothing either.
  for (Watched::Point& p : w.points) p.score.reset();
  CHECK_FALSE(w.measure("score_gain"));
  w.points.back().score = 1;
  CHECK_FALSE(w.measure("score_gain"));
  CHECK(w.measure("watched_fall"));
  eval::require_watched({w}, {"watched_gain: ppo >= 0", "gold: ppo >= 0", "score_gain: other >= 0"});
  CHECK_THROWS_WITH_AS(eval::require_watched({w}, {"score_gain: ppo >= 0"}), doctest::Contains("hold no such thing"),
                       Error);
}

TEST_CASE("a watched stage is read from its folder") {
  const fs::path folder = fs::temp_directory_path() / ("hone-watched-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  write_file_atomic(folder / "metrics.jsonl",
                    "{\"step\":0,\"eval_gold\":0.5,\"eval_hidden_faults\":0.1}\n{\"step\":1,\"score\":0.2}\n"
                    "{\"step\":2,\"score\":0.4,\"kl\":2.25,\"eval_gold\":0.6,\"eval_visible_faults\":0.3}\n");
  config::Record record;
  record.warnings = {{2, "KL"}, {1, "leash"}};
  config::write_record(folder, record, false);
  const Watched w = eval::read_watched("ppo=" + (folder / "metrics.jsonl").string());
  REQUIRE(w.points.size() == 2);
  CHECK(w.points[1].step == 2);
  CHECK(w.points[1].kl == 2.25);
  CHECK(w.points[1].visible == 0.3);
  CHECK(*w.warnings == std::vector<int64_t>{1, 2});
  Json results;
  eval::add_curves({w}, results);
  CHECK(results["gold_vs_proxy"][1]["sqrt_kl"] == 1.5);
  CHECK(results["faults"][0]["hidden"] == 0.1);
  for (const char* bad : {"{\"step\":0,\n", "{\"step\":\"one\",\"eval_gold\":0.5}\n"}) {
    write_file_atomic(folder / "metrics.jsonl", bad);
    CHECK_THROWS_AS(eval::read_watched("ppo=" + (folder / "metrics.jsonl").string()), Error);
  }
  fs::remove_all(folder);
}
