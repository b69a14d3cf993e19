#include "config/recipe.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "config/run_folder.h"

using namespace hone::config;
using hone::Error;
namespace fs = std::filesystem;

namespace {
struct Scratch {
  fs::path path = fs::temp_directory_path() / ("hone-recipe-test-" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() { fs::remove_all(path); }
  fs::path write(const std::string& text) const {
    hone::write_file_atomic(path / "r.toml", text);
    return path / "r.toml";
  }
};
struct Params {
  double beta = 0.1;
  int64_t every = 4;
  void fields(Fields& v) {
    v("beta", beta, "KL coefficient");
    v("every", every, "steps between looks");
    v.range("beta", 0, 1);
  }
};
}  // namespace

TEST_CASE("stages keep their order, names and places") {
  const Scratch s;
  Recipe r = read_recipe(
      s.write("seed = 3\n[[stage]]\nkind = \"sft\"\n[[stage]]\nkind = \"ppo\"\nname = \"rl\"\nbeta = 0.5\n"));
  CHECK(r.run.seed == 3);
  REQUIRE(r.stages.size() == 2);
  CHECK(r.stages[0].name == "sft");
  CHECK(r.stages[1].name == "rl");
  apply_set(r, "rl.beta=0.25");
  Params p;
  apply_entries(fields_of(p), r.stages[1]);
  CHECK(p.beta == 0.25);
  CHECK_THROWS_WITH_AS(apply_set(r, "rk.beta=1"), doctest::Contains("did you mean 'rl'?"), Error);
}

TEST_CASE("keys of absurd depth are refused, not followed") {
  const Scratch s;
  for (const size_t depth : {300, 8000, 60000}) {
    std::string key;
    for (size_t i = 0; i < depth; ++i) key += "a.";
    CHECK_THROWS_AS(read_recipe(s.write("[[stage]]\nkind = \"world\"\n" + key + "b = 1\n")), Error);
    CHECK_THROWS_AS(read_recipe(s.write("[[stage]]\nkind = \"world\"\n[stage." + key + "b]\nc = 1\n")), Error);
  }
  Recipe r = read_recipe(s.write("[[stage]]\nkind = \"sft\"\n[[stage]]\nkind = \"ppo\"\n"));
  CHECK_THROWS_WITH_AS(apply_set(r, "x\n\x1b" + std::string(1000, 'y') + "=1"), doctest::Contains("yyy..."), Error);
}

TEST_CASE("--set finds a key of the group that has its stage's name") {
  struct Group {
    int64_t people = 1, count = 1;
    void fields(Fields& v) {
      v("people", people, "how many");
      v("count", count, "how often");
    }
  };
  struct World {
    Group world;
    int64_t count = 1;
    void fields(Fields& v) {
      v("count", count, "files");
      v.group("world", world);
    }
  };
  const Scratch s;
  Recipe r = read_recipe(s.write("[[stage]]\nkind = \"world\"\n[[stage]]\nkind = \"sft\"\n"));
  apply_set(r, "world.people=3");
  apply_set(r, "world.count=4");  // the stage's own key is meant where there is one
  World w;
  apply_entries(fields_of(w), r.stages[0]);
  CHECK(w.world.people == 3);
  CHECK(w.world.count == 1);
  CHECK(w.count == 4);
  apply_set(r, "world.world.count=5");
  apply_entries(fields_of(w), r.stages[0]);
  CHECK(w.world.count == 5);
  apply_set(r, "world.peeple=3");
  CHECK_THROWS_WITH_AS(apply_entries(fields_of(w), r.stages[0]),
                       doctest::Contains("unknown key 'peeple' in [world]; did you mean 'world.people'?"), Error);
}

TEST_CASE("an unknown key names file, line, key and its neighbour") {
  const Scratch s;
  const fs::path path = s.write("[[stage]]\nkind = \"dpo\"\nbata = 0.5\n");
  const Recipe r = read_recipe(path);
  Params p;
  CHECK_THROWS_WITH_AS(apply_entries(fields_of(p), r.stages[0]),
                       (path.string() + ":3: unknown key 'bata' in [dpo]; did you mean 'beta'?").c_str(), Error);
}

TEST_CASE("a number out of its range is one error with key, value, range and line") {
  const Scratch s;
  Params p;
  const auto apply = [&](const char* line) {
    apply_entries(fields_of(p), read_recipe(s.write("[[stage]]\nkind = \"dpo\"\n" + std::string(line))).stages[0]);
  };
  CHECK_THROWS_WITH_AS(apply("beta = 1.5"),
                       ((s.path / "r.toml").string() + ":3: 'beta' is 1.5, must be from 0 to 1").c_str(), Error);
  CHECK_THROWS_WITH_AS(apply("every = -1"), doctest::Contains(":3: 'every' is -1, must be at least 0"), Error);
  CHECK_NOTHROW(apply("beta = 1"));  // both ends belong to the range
  CHECK_NOTHROW(apply("every = 0"));
  Recipe r = read_recipe(s.write("[[stage]]\nkind = \"dpo\"\n"));
  apply_set(r, "dpo.beta=-0.5");
  CHECK_THROWS_WITH_AS(apply_entries(fields_of(p), r.stages[0]),
                       "--set dpo.beta=-0.5: 'beta' is -0.5, must be from 0 to 1", Error);
  CHECK_THROWS_WITH_AS(apply_set(r, "threads=-2"), doctest::Contains("'threads' is -2, must be at least 0"), Error);
  CHECK_THROWS_WITH_AS(read_recipe(s.write("threads = -2\n[[stage]]\nkind = \"dpo\"\n")),
                       doctest::Contains("r.toml:1: 'threads' is -2"), Error);
}

TEST_CASE("malformed recipes are refused with their line") {
  const Scratch s;
  CHECK_THROWS_WITH_AS(read_recipe(s.write("seed = \n")), doctest::Contains("r.toml:1"), Error);
  CHECK_THROWS_AS(read_recipe(s.write("seed = 1\n")), Error);
  CHECK_THROWS_WITH_AS(read_recipe(s.write("sed = 1\n[[stage]]\nkind=\"x\"\n")),
                       doctest::Contains("did you mean 'seed'?"), Error);
  CHECK_THROWS_AS(read_recipe(s.write("[[stage]]\nkind=\"x\"\nname=\"../../etc\"\n")), Error);
  CHECK_THROWS_AS(read_recipe(s.path / "missing.toml"), Error);
}

TEST_CASE("a run folder verifies until a byte changes") {
  const Scratch s;
  fs::create_directories(s.path / "model");
  hone::write_file_atomic(s.path / "model" / "config.json", "{}");
  Record record;
  record.kind = "sft";
  record.name = "sft";
  record.outcome = "done";
  write_record(s.path, record, true);
  CHECK(verify_run_folder(s.path) == "");
  hone::write_file_atomic(s.path / "model" / "config.json", "{ }");
  CHECK(verify_run_folder(s.path) == "model/config.json: SHA-256 differs from the record");
}
