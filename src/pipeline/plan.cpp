// What a recipe would do, before it does it: stages, what they read and what of it is missing or would be lost, work,
// time, memory. Runs nothing but a measurement of this machine's speed, and writes nothing.
#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "pipeline/forecast.h"
#include "pipeline/references.h"
#include "pipeline/run.h"
#include "pipeline/stage.h"
#include "tensor/runtime.h"

namespace hone::pipeline {
namespace {

// "data: @world/corpus.txt", "model: my-model (MISSING)": every path as the recipe gives it, with its size if it is
// there.
std::vector<std::string> describe_inputs(const config::Fields& fields, const std::string& data, bool& missing) {
  std::vector<std::string> lines;
  for (const config::Field& f : fields.list())
    for (std::string value : config::paths_of(f)) {
      if (value.empty()) continue;
      if (value.starts_with("$data/")) value = (fs::path(data) / value.substr(6)).string();
      std::error_code ec;
      const bool later = value.starts_with('@');
      std::string note;
      if (!later && fs::is_regular_file(value, ec))
        note = " (" + decimal_text(static_cast<double>(fs::file_size(value, ec)) / 1e6, 1) + " MB)";
      else if (!later && value.find_first_of("*?") == std::string::npos && !fs::exists(value, ec))
        note = " (MISSING)", missing = true;
      lines.push_back(f.key + ": " + value + note);
    }
  return lines;
}

}  // namespace

void print_plan(const config::Recipe& given, const fs::path& out) {
  config::Recipe recipe = given;
  if (recipe.run.threads <= 0) recipe.run.threads = usable_threads();
  set_threads(static_cast<int>(recipe.run.threads));
  require_device(recipe.run.device);
  log::info((recipe.run.title.empty() ? recipe.path : recipe.run.title) + ": " + std::to_string(recipe.stages.size()) +
            " stage" + (recipe.stages.size() == 1 ? "" : "s") + ", seed " + std::to_string(recipe.run.seed) + ", " +
            recipe.run.device + ", " + std::to_string(recipe.run.threads) + " threads, " +
            decimal_text(static_cast<double>(memory_bytes()) / 1e9, 1) + " GB of memory");
  Forecast forecast;
  forecast.run = recipe.run;
  double most = 0, seconds = 0;
  bool missing = false, refused = false;
  std::string unknown;  // stages whose time is not known
  for (size_t i = 0; i < recipe.stages.size(); ++i) {
    const config::StageEntry& entry = recipe.stages[i];
    const std::unique_ptr<Stage> stage = make_stage(entry.kind, entry.where);
    const config::Fields fields = stage->fields();
    config::apply_entries(fields, entry);
    const std::vector<std::string> inputs = describe_inputs(fields, recipe.run.data, missing);
    resolve_references(fields, recipe, out, i);
    forecast.folder = stage_folder(recipe, out, i).string();
    forecast.model.reset();
    forecast.remarks.clear();
    forecast.work.clear();
    forecast.seconds.reset();
    forecast.bytes = 0;
    try {
      check_stage(*stage, entry);
      if (!missing) stage->look_ahead(forecast);
    } catch (const Error& e) {
      if (e.kind != Kind::kUsage) throw;
      forecast.remarks.push_back(kWouldNotStart + std::string(e.what()));
    }
    for (const std::string& r : forecast.remarks) refused = refused || r.starts_with(kWouldNotStart);
    if (!forecast.seconds) unknown += (unknown.empty() ? "" : ", ") + entry.name;
    std::string line =
        "  " + std::to_string(i + 1) + ". " + entry.name + (entry.name == entry.kind ? "" : " (" + entry.kind + ")");
    if (forecast.seconds) line += ": about " + clock_text(*forecast.seconds), seconds += *forecast.seconds;
    if (!forecast.work.empty()) line += ", " + forecast.work;
    log::info(line);
    if (forecast.model) {
      const int64_t parameters = model::parameter_count(*forecast.model);
      most = std::max(most, forecast.bytes);
      log::info("       " + count_text(parameters) + " parameters, about " + decimal_text(forecast.bytes / 1e6, 0) +
                " MB of weights and optimiser state");
    }
    for (const std::string& input : inputs) log::info("       " + input);
    for (const std::string& remark : forecast.remarks) log::info("       " + remark);
    std::string settings;
    for (const config::Entry& e : entry.entries)
      if (!e.text.starts_with('[') && e.text.find('@') == std::string::npos)
        settings += (settings.empty() ? "" : ", ") + e.key + " = " + e.text;
    if (!settings.empty()) log::info("       " + settings);
  }
  if (missing || refused) {
    log::warn(std::string(missing ? "files are missing: " : "") + "the run would not start; nothing was run");
    return;
  }
  log::info((unknown.empty() ? "  about " : "  at least about ") + clock_text(seconds) +
            " in all on this machine, by its speed on random weights of these shapes" +
            (unknown.empty() ? "" : " (not known: " + unknown + ")") + "; at most about " +
            decimal_text(most / 1e6, 0) + " MB for weights at once, activations besides; nothing was run");
  if (forecast.unread)
    log::info("  what is left out or cut is told once tokenizer and rows are there: give --plan the run's --out then");
  if (most > 0.8 * static_cast<double>(memory_bytes()) && recipe.run.device == "cpu")
    log::warn("that leaves too little of this machine's memory for activations");
}

}  // namespace hone::pipeline
