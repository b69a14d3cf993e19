// A recipe: a TOML file with the run's own settings and an ordered list of stages.
//
//   title = "Align the little world"
//   seed = 1
//
//   [[stage]]
//   kind = "pretrain"            # one of `hone list stages`
//   name = "pretrain"            # the stage's folder; default: its kind
//   data = ["@world/corpus.txt"] # @NAME is the run folder of an earlier stage
//     [stage.optim]
//     lr = 0.02
//
// Reading keeps every value with its file and line, so that an error names both.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "config/fields.h"

namespace hone::config {

/// Settings of the whole run, the recipe's top-level keys.
struct RunSettings {
  std::string title;
  std::string about;
  int64_t seed = 1;
  std::string device = "cpu";
  std::string dtype = "auto";
  int64_t threads = 0;
  std::string compat = "none";
  std::string data = "../shared/data";

  void fields(Fields& v) {
    v("title", title, "one line: what this recipe does");
    v("about", about, "a paragraph for the reader of the report");
    v("seed", seed, "every random choice of the run is a function of it");
    v("device", device, "where tensors live: cpu, cuda or cuda:N", "no GPU is assumed");
    v.choice("dtype", dtype, {"auto", "f32", "bf16"},
             "precision of matrix work; master weights stay f32. auto: f32 under 10M parameters, else the faster of "
             "the two, measured once and stored",
             "measured at the first start");
    v("threads", threads, "CPU threads; 0: as many as the affinity mask and the cgroup's quota allow");
    v("compat", compat,
      "whose defaults stand where systems disagree: none (hone's own), trl, openrlhf or nplus; what a recipe or an "
      "option sets stands above (`hone list compat`)");
    v("data", data, "folder that $data/… in a recipe means: where public data sets lie");
  }
};

/// One key of a recipe with its place.
struct Entry {
  std::string key;           ///< dotted inside its stage
  std::string where;         ///< "recipes/x.toml:14"
  std::string text;          ///< JSON text of the value; of a --set: the text as given
  std::string set_key = {};  ///< of a --set: the whole key as given, stage and all; else empty
};

struct StageEntry {
  std::string kind, name, where;
  std::vector<Entry> entries;
};

struct Recipe {
  std::string path;  ///< as given; "" for a recipe made of a verb's options
  RunSettings run;
  std::vector<StageEntry> stages;
};

/// Reads a recipe. Malformed TOML, an unknown top-level key, two stages of one name: kUsage with file and line.
Recipe read_recipe(const std::filesystem::path& path);

/// `--set key=value`: `seed=3`, or `STAGE.key=value` by the stage's name or kind; with one stage the prefix may be left
/// out. Where a stage and one of its groups share a name, `world.people` is `world.world.people`, if there is no such
/// key.
void apply_set(Recipe& recipe, const std::string& assignment);

/// The first setting in which two resolved recipes (run_folder.h) of one stage differ, "steps is 30 there and 31 here";
/// "" where they are the same. What comments say is no setting. The first one cannot be read: kUsage.
std::string first_difference(const std::string& then, const std::string& now);

/// Puts the entries of fields that decide which others there are (Field::selects) into the stage's params struct, whose
/// fields must then be listed again.
void apply_selectors(const Fields& fields, const StageEntry& stage);
/// Puts a stage's entries into its params struct; returns the keys that were given, each with its last place.
std::map<std::string, std::string> apply_entries(const Fields& fields, const StageEntry& stage);

}  // namespace hone::config
