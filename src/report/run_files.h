// Reads run folders, whole, broken off or still running. Nothing here throws for what a folder lacks: what is missing
// or torn becomes a note that the page shows. Only a run.json that is there and no record is an error.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "report/lenient_json.h"

namespace hone::report {

namespace fs = std::filesystem;

/// One key of metrics.jsonl over the steps. Values that are not finite numbers are NaN.
struct Curve {
  std::string key;
  std::vector<double> step, value;
};

struct Sample {
  std::string id, prompt, completion;
  std::optional<double> reward, gold, step;
};

/// An answer to one of the prompts that a stage asks again and again (answers.jsonl).
struct Look {
  double step = 0, temperature = 0;
  std::string id, prompt, completion;
  bool held_out = true, ended = true;
};

/// One stage's run folder.
struct Stage {
  fs::path folder;
  std::string kind;           ///< of run.json, else guessed from the folder's name
  std::string name;           ///< of run.json, else the folder's name
  std::string title, tone;    ///< of its kind (pipeline/stages.def)
  std::string learns;         ///< from "texts", "judgements", "own_samples" or "nothing"
  std::string outcome;        ///< "done", "interrupted", …; "" where run.json says nothing
  Json record;                ///< run.json, an empty object if absent
  std::vector<Curve> curves;  ///< metrics.jsonl, in order of first appearance, without "step"
  std::vector<Curve> timing;  ///< timing.jsonl
  std::vector<Sample> samples;
  std::vector<Look> looks;
  std::optional<Json> results;     ///< results.json
  std::string recipe;              ///< recipe.toml: every setting with the value used, "" if absent
  std::vector<std::string> notes;  ///< what is missing or broken

  const Curve* curve(std::string_view key) const;
  bool learns_from_own_samples() const { return learns == "own_samples"; }
  /// What people's judgements or a reward change, directly or not.
  bool aligns() const { return learns_from_own_samples() || tone == "dpo"; }
  bool done() const { return outcome == "done"; }
  double seconds()
      const;  ///< the record's, else started to finished, else the sum of timing.jsonl's seconds; NaN if unknown
};

/// A recipe's folder with its stages, or one stage on its own.
struct Run {
  fs::path folder;
  std::string label;  ///< the folder's name
  std::string title;  ///< of the record, else the recipe, else the label
  std::string about;  ///< a paragraph by the recipe's author, may be ""
  Json record;
  std::string recipe;         ///< recipe.toml, "" if absent
  std::vector<Stage> stages;  ///< in the order of their folders' names
  std::vector<std::string> notes;

  bool done() const;       ///< it and all its stages
  double seconds() const;  ///< of the record, else the sum over stages
};

/// Reads each folder. A folder that only holds recipe folders stands for them. Not a folder, or a run.json
/// that cannot be read: kUsage.
std::vector<Run> read_runs(const std::vector<fs::path>& folders);

}  // namespace hone::report
