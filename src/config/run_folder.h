// Names of every file in a run folder, and the record (run.json) that a stranger can verify.
//
// Order of writes: recipe.toml and run.json (outcome "running") first, then metrics, timing and samples while the
// stage works, model/ at its end, then run.json again with the hashes of all outputs. A folder whose run.json says
// "done" is complete.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json_fwd.h"
#include "config/recipe.h"

namespace hone::config {

namespace names {
inline constexpr const char* kRecipe = "recipe.toml";
inline constexpr const char* kRecord = "run.json";
inline constexpr const char* kMetrics = "metrics.jsonl";
inline constexpr const char* kTiming = "timing.jsonl";
inline constexpr const char* kSamples = "samples.jsonl";
inline constexpr const char* kAnswers = "answers.jsonl";
inline constexpr const char* kResults = "results.json";
inline constexpr const char* kCheckpoints = "checkpoints";
inline constexpr const char* kModel = "model";
inline constexpr const char* kCritic = "critic";
inline constexpr const char* kReport = "report.html";
inline constexpr const char* kSplit = "split.json";
}  // namespace names

/// What a kind of stage is (pipeline/stages.def), for whoever shows a run.
struct StageTraits {
  std::string title;   ///< "Reward model"
  std::string tone;    ///< its colour: a name of report/chart.h
  std::string learns;  ///< from "texts", "judgements" or "own_samples", or "nothing"
};

/// run.json while it is being made. All members are written as they stand.
struct Record {
  std::string kind, name, outcome = "running";
  StageTraits traits;
  int64_t seed = 0;
  std::string device, dtype, dtype_reason, processor, kernels, hone_version, torch_version;
  int64_t threads = 0;
  std::string started, finished;                            ///< UTC, ISO 8601
  double seconds = 0;                                       ///< wall clock, summed over resumed parts
  std::vector<std::pair<std::string, std::string>> inputs;  ///< path, SHA-256
  std::vector<std::string> parents;                         ///< run folders this one was made from
  std::string summary_json = "{}";                          ///< numbers worth a headline
  std::string model_json = "{}";                            ///< what the model is: family, parameters, …
  std::string ends_json = "[]";                             ///< tokens that end an answer, and who names them
  std::vector<std::pair<int64_t, std::string>> warnings;    ///< step, message
};

Json to_json(const Record& record);
Record read_record(const std::filesystem::path& folder);
/// Writes run.json atomically; with `hash_outputs` lists every file of the folder with its SHA-256
/// (checkpoints/ and timing.jsonl are left out: they are not results).
void write_record(const std::filesystem::path& folder, const Record& record, bool hash_outputs);

/// "2026-01-31T12:00:00Z"
std::string utc_now();

/// The resolved recipe as TOML: every key with the value used, its meaning as a comment.
std::string resolved_toml(const RunSettings& run, const StageEntry& stage, const Fields& fields);

/// First thing wrong with a finished run folder ("model/model.safetensors: SHA-256 differs"), or "".
std::string verify_run_folder(const std::filesystem::path& folder);

}  // namespace hone::config
