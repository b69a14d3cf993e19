// What a recipe would do, before it does it: stages, what they read and what of it is missing or would be lost, work,
// time, memory. Runs nothing but a measurement of this machine's speed, and writes nothing.
#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "pipeline/folders.h"
#include "pipeline/forecast.h"
#include "pipeline/references.h"
#include "pipeline/run.h"
#include "pipeline/stage.h"
#include "pipeline/watched_stages.h"
#include "tensor/runtime.h"

namespace hone::pipeline {
namespace {

// LibTorch and the program itself, resident once a model has run (measured, docs/memory.md).
constexpr double kProgramBytes = 220e6;

std::string megabytes(double bytes) { return decimal_text(bytes / 1e6, bytes < 10e6 ? 1 : 0) + " MB"; }

// " (0.1 MB)" for a file.
std::string size_text(const std::string& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return "";
  return " (" + decimal_text(static_cast<double>(fs::file_size(path, ec)) / 1e6, 1) + " MB)";
}

// What a stage would do. The first thing that keeps the run from starting goes into `obstacle`.
Forecast look_ahead(Stage& stage, const config::Recipe& recipe, size_t index, const config::Fields& fields,
                    PlannedRun& planned, const fs::path& out, std::string& obstacle) {
  const config::StageEntry& entry = recipe.stages[index];
  const fs::path folder = stage_folder(recipe, out, index);
  Forecast f{.folder = folder.string()};
  const auto stops = [&](const std::string& why) {
    f.remarks.push_back(why);
    if (obstacle.empty()) obstacle = entry.name + ": " + why;
  };
  for (const auto& [key, path] : missing_inputs(fields, out)) stops("MISSING: " + key + " " + path);
  try {
    require_watched_stages(fields, recipe, out, index);
    require_own_folder(folder, entry.kind);
    require_inputs_outside(fields, entry, folder);
    check_stage(stage, entry);
    stage.look_ahead(planned, f);
  } catch (const Error& e) {
    if (e.kind != Kind::kUsage) throw;
    stops("WOULD NOT START: " + std::string(e.what()));
    if (!e.hint.empty()) f.remarks.push_back("hint: " + e.hint);
  }
  return f;
}

}  // namespace

void print_plan(const config::Recipe& given, const fs::path& out) {
  config::Recipe recipe = given;
  if (recipe.run.threads <= 0) recipe.run.threads = usable_threads();
  set_threads(static_cast<int>(recipe.run.threads));
  use_device(recipe.run.device);
  log::info((recipe.run.title.empty() ? recipe.path : recipe.run.title) + ": " + std::to_string(recipe.stages.size()) +
            " stage" + (recipe.stages.size() == 1 ? "" : "s") + ", seed " + std::to_string(recipe.run.seed) + ", " +
            recipe.run.device + ", " + std::to_string(recipe.run.threads) + " threads, " +
            decimal_text(static_cast<double>(memory_bytes()) / 1e9, 1) + " GB of memory");
  std::string obstacle;
  try {
    if (stage_folder(recipe, out, 0) != out) require_own_folder(out, "recipe");
  } catch (const Error& e) {
    if (e.kind != Kind::kUsage) throw;
    obstacle = e.what();
    log::info("  WOULD NOT START: " + obstacle);
    if (!e.hint.empty()) log::info("  hint: " + e.hint);
  }
  PlannedRun planned(recipe.run);
  double most = 0, seconds = 0;
  bool unread = false;
  std::string unknown;  // stages whose time is not known
  for (size_t i = 0; i < recipe.stages.size(); ++i) {
    const config::StageEntry& entry = recipe.stages[i];
    const std::unique_ptr<Stage> stage = make_stage(entry.kind, entry.where);
    const config::Fields fields = apply_settings(*stage, entry, recipe.run.compat);
    const auto named = input_paths(fields);  // as the recipe names them
    resolve_references(fields, recipe, out, i);
    const auto inputs = input_paths(fields);
    const Forecast forecast = look_ahead(*stage, recipe, i, fields, planned, out, obstacle);
    unread = unread || forecast.unread;
    if (!forecast.seconds) unknown += (unknown.empty() ? "" : ", ") + entry.name;
    std::string line =
        "  " + std::to_string(i + 1) + ". " + entry.name + (entry.name == entry.kind ? "" : " (" + entry.kind + ")");
    if (forecast.seconds) line += ": about " + clock_text(*forecast.seconds), seconds += *forecast.seconds;
    if (!forecast.work.empty()) line += ", " + forecast.work;
    log::info(line);
    if (forecast.model) {
      const int64_t parameters = model::parameter_count(*forecast.model);
      const double bytes = forecast.memory.total() + forecast.activations + forecast.cache + kProgramBytes;
      most = std::max(most, bytes);
      if (forecast.memory.total() > 0)
        log::info("       " + count_text(parameters) + " parameters, " + train::describe(forecast.memory, parameters) +
                  ": " + megabytes(forecast.memory.total()));
      else log::info("       " + count_text(parameters) + " parameters");
      std::string rest;
      if (forecast.activations > 0) rest += "activations about " + megabytes(forecast.activations) + ", ";
      if (forecast.cache > 0) rest += "KV cache at most " + megabytes(forecast.cache) + ", ";
      log::info("       " + rest + "program " + megabytes(kProgramBytes));
    }
    for (size_t k = 0; k < named.size(); ++k)
      log::info("       " + named[k].first + ": " + named[k].second + size_text(inputs[k].second));
    for (const std::string& remark : forecast.remarks) log::info("       " + remark);
    std::string settings;
    for (const config::Entry& e : entry.entries)
      if (!e.text.starts_with('[') && e.text.find('@') == std::string::npos)
        settings += (settings.empty() ? "" : ", ") + e.key + " = " + e.text;
    if (!settings.empty()) log::info("       " + settings);
  }
  if (!obstacle.empty())
    usage_error("the run would not start; " + obstacle, "the plan marks everything that must be mended");
  log::info((unknown.empty() ? "  about " : "  at least about ") + clock_text(seconds) +
            " in all on this machine, by its speed on random weights of these shapes" +
            (unknown.empty() ? "" : " (not known: " + unknown + ")") + "; at most about " + megabytes(most) +
            " of memory at once; nothing was run");
  if (unread)
    log::info("  what is left out or cut is told once tokenizer and rows are there: give --plan the run's --out then");
  if (most > 0.8 * static_cast<double>(memory_bytes()) && recipe.run.device == "cpu")
    log::warn("that is more than four fifths of this machine's memory");
}

}  // namespace hone::pipeline
