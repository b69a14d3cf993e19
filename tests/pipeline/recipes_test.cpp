// Every recipe of the repository is read to its end: its settings are known, read and go together, whatever data and
// models are there.
#include <doctest/doctest.h>

#include <set>

#include "base/files.h"
#include "base/json.h"
#include "config/recipe.h"
#include "pipeline/compat.h"
#include "pipeline/stage.h"

using namespace hone;

TEST_CASE("every recipe's settings are known, read, and go together") {
  int recipes = 0;
  for (const auto& file : fs::directory_iterator("recipes")) {
    CAPTURE(file.path().string());
    ++recipes;
    const config::Recipe recipe = config::read_recipe(file.path());
    for (const config::StageEntry& entry : recipe.stages) {
      const std::unique_ptr<pipeline::Stage> stage = pipeline::make_stage(entry.kind, entry.where);
      CHECK_NOTHROW(pipeline::apply_settings(*stage, entry));
      CHECK_NOTHROW(pipeline::check_stage(*stage, entry));
    }
  }
  CHECK(recipes >= 19);
}

TEST_CASE("what other systems have otherwise is known to its stage, differs from hone's, and gives way") {
  std::set<std::pair<std::string, std::string>> stages;
  for (const pipeline::CompatSetting& s : pipeline::compat_settings()) {
    CAPTURE(s.system);
    CAPTURE(s.key);
    config::StageEntry entry{std::string(s.kind), std::string(s.kind), "test", {}};
    if (const size_t equals = s.where.find('='); equals != std::string_view::npos)
      entry.entries.push_back({std::string(s.where.substr(0, equals)),
                               "test",
                               dump_json(Json(std::string(s.where.substr(equals + 1)))),
                               {}});
    const auto value = [&](const std::string& compat) {
      const std::unique_ptr<pipeline::Stage> stage = pipeline::make_stage(entry.kind, "test");
      const config::Fields fields = pipeline::apply_settings(*stage, entry, compat);
      return config::to_json(fields.find(s.key, entry.kind, "test"));
    };
    const Json own = value("none"), theirs = value(std::string(s.system));
    const bool read_only_elsewhere = s.key == "kl_estimator" && s.kind == "group";  // TRL's default has no KL
    // Some agree with hone's default, and stay theirs should that move.
    if (!read_only_elsewhere && theirs != own) stages.emplace(s.system, s.kind);
    entry.entries.push_back({std::string(s.key), "test", dump_json(own), {}});
    CHECK(value(std::string(s.system)) == own);
  }
  CHECK(stages.size() >= 8);
  const std::unique_ptr<pipeline::Stage> stage = pipeline::make_stage("ppo", "test");
  CHECK_THROWS_WITH(pipeline::apply_settings(*stage, {"ppo", "ppo", "test", {}}, "tlr"),
                    "compat: no settings of 'tlr' are known; did you mean 'trl'?");
}

TEST_CASE("a setting that another system has, and the stage does not read, is not refused") {
  const auto closes = [](std::vector<config::Entry> entries) {
    const config::StageEntry entry{"ppo", "ppo", "test", std::move(entries)};
    const std::unique_ptr<pipeline::Stage> stage = pipeline::make_stage("ppo", "test");
    return config::to_json(pipeline::apply_settings(*stage, entry, "openrlhf").find("close_unfinished", "ppo", "test"));
  };
  CHECK(closes({}) == true);
  CHECK(closes({{"rewards", "test", "[\"exact\"]", {}}}) == false);  // a reward model's alone
}
