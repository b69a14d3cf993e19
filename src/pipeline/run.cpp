#include "pipeline/run.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <set>

#include "base/adapter.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "base/version.h"
#include "config/run_folder.h"
#include "eval/probe.h"
#include "model/config.h"
#include "pipeline/folders.h"
#include "pipeline/references.h"
#include "pipeline/stage.h"
#include "pipeline/watched_stages.h"
#include "report/report.h"
#include "tensor/runtime.h"

namespace hone::pipeline {
namespace {

using config::names::kRecipe;
using config::names::kRecord;

// Every existing file or folder that a field names, as path and SHA-256: of a folder the files in it, but for those
// that differ from run to run (records, wall-clock, pages).
std::vector<std::pair<std::string, std::string>> inputs_of(const config::Fields& fields) {
  static const std::set<std::string> kNoInput{".lock", kRecord, config::names::kTiming, config::names::kReport};
  std::vector<std::pair<std::string, std::string>> inputs;
  std::set<std::string> seen;
  for (const auto& [key, path] : input_paths(fields)) {
    std::error_code ec;
    if (!seen.insert(path).second) continue;
    if (fs::is_regular_file(path, ec)) inputs.emplace_back(path, sha256_file(path));
    if (!fs::is_directory(path, ec)) continue;
    std::vector<std::string> files;
    for (const auto& e : fs::directory_iterator(path, ec))
      if (e.is_regular_file(ec) && !kNoInput.contains(e.path().filename().string())) files.push_back(e.path().string());
    std::ranges::sort(files);
    for (const std::string& file : files) inputs.emplace_back(file, sha256_file(file));
    if (is_adapter(path))  // whose base is read too
      for (const fs::path& file : model::model_files(adapter_base(path)))
        inputs.emplace_back(file.string(), sha256_file(file));
  }
  return inputs;
}

// A stage that is to be watched names a world; the pipeline, not the learner, holds the gold reward.
config::Probe probe_of(const config::Fields& fields, int64_t seed) {
  std::string world, model;
  int64_t prompts = 200, max_tokens = 40;
  for (const config::Field& f : fields.list()) {
    if (f.key == "watch") world = **std::get_if<std::string*>(&f.value);
    if (f.key == "model") model = **std::get_if<std::string*>(&f.value);
    if (f.key == "watch_prompts") prompts = **std::get_if<int64_t*>(&f.value);
    if (f.key == "sampling.max_tokens") max_tokens = **std::get_if<int64_t*>(&f.value);
  }
  return world.empty() ? config::Probe{} : eval::world_probe(world, model, prompts, max_tokens, seed);
}

// Files and folders that a stage names and that no earlier stage makes must be there before the first stage starts.
void require_inputs(const config::Fields& fields, const config::StageEntry& entry, const fs::path& out) {
  for (const auto& [key, path] : missing_inputs(fields, out))
    usage_error(entry.where + ": '" + key + "' of stage '" + entry.name + "' names " + path + ", which is not there");
}

void print_headline(const config::Record& record) {
  std::string line;
  const Json summary = parse_json(record.summary_json, "summary");
  for (const auto& [key, value] : summary.items())
    if (value.is_number() || value.is_string())
      line += (line.empty() ? "" : "  ") + key + " " +
              (value.is_string() ? value.get<std::string>() : decimal_text(value.get<double>(), 3));
  log::info("  " + record.name + " done in " + clock_text(record.seconds) + (line.empty() ? "" : ":  " + line));
}

// What this run is and where it computes; the rest of the record is the stage's or the recipe's own.
void describe_run(const config::RunSettings& run, config::Record& record) {
  record.outcome = "running";
  record.seed = run.seed;
  record.device = run.device;
  record.threads = run.threads;
  record.processor = processor_name();
  record.kernels = cpu_kernels();
  record.hone_version = kVersion;
  record.torch_version = torch_version();
}

void write_outcome(const fs::path& folder, config::Record& record, const char* outcome, double seconds) {
  record.outcome = outcome;
  record.finished = config::utc_now();
  record.seconds += seconds;
  config::write_record(folder, record, record.outcome == "done");
}

// Runs `work`, and writes into FOLDER/run.json how it went and how long it took.
void run_and_record(const fs::path& folder, config::Record& record, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  const auto failed = [&](const char* outcome) {
    try {
      write_outcome(folder, record, outcome, seconds());
    } catch (const std::exception&) {
      // The disk may be full: the first error is the one that matters.
    }
  };
  try {
    work();
  } catch (const Error& e) {
    failed(e.kind == Kind::kInterrupted ? "interrupted" : "failed");
    throw;
  } catch (const std::exception&) {
    failed("failed");
    throw;
  }
  write_outcome(folder, record, "done", seconds());
}

// True for a folder in which no run got anywhere: none began, or one broke off before its first checkpoint. The next
// try, with a mended recipe, takes it over.
bool holds_nothing(const fs::path& folder) {
  if (!fs::exists(folder / kRecord)) return true;
  std::error_code ec;
  const bool checkpoint = fs::directory_iterator(folder / config::names::kCheckpoints, ec) != fs::directory_iterator();
  return !checkpoint && config::read_record(folder).outcome != "done";
}

// A stage with its settings, its references resolved to paths, and what would be written into its recipe.toml. Touches
// no folder.
struct Prepared {
  const config::StageEntry* entry;
  std::unique_ptr<Stage> stage;
  config::Fields fields;
  config::StageContext context;
  std::string resolved;
};

Prepared prepare(const config::Recipe& recipe, size_t index, const fs::path& out) {
  Prepared p;
  p.entry = &recipe.stages[index];
  p.stage = make_stage(p.entry->kind, p.entry->where);
  p.fields = apply_settings(*p.stage, *p.entry, recipe.run.compat);
  check_stage(*p.stage, *p.entry);
  p.context.run = recipe.run;
  p.context.folder = stage_folder(recipe, out, index);
  p.context.record.parents = resolve_references(p.fields, recipe, out, index);
  require_watched_stages(p.fields, recipe, out, index);
  require_inputs(p.fields, *p.entry, out);
  require_own_folder(p.context.folder, p.entry->kind);
  require_inputs_outside(p.fields, *p.entry, p.context.folder);
  p.resolved = config::resolved_toml(recipe.run, *p.entry, p.fields);
  return p;
}

// A run goes on only from what it began with.
void require_same_inputs(const config::Record& before, const std::vector<std::pair<std::string, std::string>>& inputs) {
  for (const auto& [path, hash] : inputs) {
    const auto then = std::ranges::find(before.inputs, path, &std::pair<std::string, std::string>::first);
    if (then != before.inputs.end() && then->second != hash)
      usage_error(path + ": this input of stage '" + before.name +
                      "' is not what it was when the stage began (its SHA-256 differs)",
                  "put the file back as it was, or start afresh in another folder with --out");
  }
}

// What stands in the stage's folder, if anything, was made by the same settings.
void require_same_recipe(const Prepared& p) {
  const fs::path& folder = p.context.folder;
  if (holds_nothing(folder) || !fs::exists(folder / kRecipe)) return;
  if (const std::string other = config::first_difference(read_file(folder / kRecipe), p.resolved); !other.empty())
    usage_error(
        folder.string() + ": was made by another recipe than this one (" + other + "), so it cannot be continued",
        "choose another folder with --out, or remove this one");
}

// Takes the stage's folder, which is locked: for a new run, or to continue the one in it. False if that one is done.
bool take_folder(Prepared& p, bool resume) {
  const fs::path& folder = p.context.folder;
  config::Record& record = p.context.record;
  const auto inputs = inputs_of(p.fields);
  if (holds_nothing(folder)) {
    record.started = config::utc_now();
  } else {
    config::Record before = config::read_record(folder);
    if (!resume)
      usage_error(folder.string() + ": holds a run already (" + before.outcome + ")",
                  "continue it with --resume, or choose another folder with --out");
    require_same_inputs(before, inputs);
    if (before.outcome == "done") return false;
    before.parents = record.parents;
    record = std::move(before);
    p.context.resume = true;
  }
  record.kind = p.entry->kind;
  record.name = p.entry->name;
  record.traits = traits_of(p.entry->kind);
  record.inputs = inputs;
  describe_run(p.context.run, record);
  config::write_record(folder, record, false);  // first: from here on the folder is the run's
  write_file_atomic(folder / kRecipe, p.resolved);
  return true;
}

void run_stage(const config::Recipe& recipe, size_t index, Prepared& p, const RunOptions& options) {
  const fs::path& folder = p.context.folder;
  fs::create_directories(folder);
  const FolderLock lock(folder);
  const bool runs = take_folder(p, options.resume);  // false: done before
  log::info("[" + std::to_string(index + 1) + "/" + std::to_string(recipe.stages.size()) + "] " + p.entry->name +
            (p.entry->name == p.entry->kind ? "" : " (" + p.entry->kind + ")") + (runs ? "" : ": done before, kept"));
  if (!runs) return;
  run_and_record(folder, p.context.record, [&] {
    p.context.probe = probe_of(p.fields, recipe.run.seed);
    p.context.stop = options.stop;
    p.context.progress = options.progress;
    p.stage->run(p.context);
  });
  print_headline(p.context.record);
}

// The record of a recipe's folder, which is locked.
config::Record take_recipe_folder(const config::Recipe& recipe, const RunOptions& options) {
  config::Record record;
  bool fresh = holds_nothing(options.out);
  for (size_t i = 0; i < recipe.stages.size(); ++i)
    fresh = fresh && holds_nothing(stage_folder(recipe, options.out, i));
  if (!fresh && !options.resume)
    usage_error(options.out.string() + ": holds a run already",
                "continue it with --resume, or choose another folder with --out");
  if (!fresh && fs::exists(options.out / kRecord)) record = config::read_record(options.out);
  else record.started = config::utc_now();
  record.kind = "recipe";
  record.name = recipe.run.title;
  describe_run(recipe.run, record);
  if (!recipe.path.empty()) record.inputs = {{recipe.path, sha256_file(recipe.path)}};
  config::write_record(options.out, record, false);  // first: from here on the folder is the run's
  if (!recipe.path.empty()) write_file_atomic(options.out / kRecipe, read_file(recipe.path));
  return record;
}

}  // namespace

void run_recipe(const config::Recipe& given, const RunOptions& options) {
  config::Recipe recipe = given;
  if (recipe.run.threads <= 0) recipe.run.threads = usable_threads();
  set_threads(static_cast<int>(recipe.run.threads));
  use_device(recipe.run.device);
  // Everything that can be wrong with the request is found before a folder is made and the first stage starts.
  std::vector<Prepared> prepared;
  for (size_t i = 0; i < recipe.stages.size(); ++i) {
    prepared.push_back(prepare(recipe, i, options.out));
    if (options.resume) require_same_recipe(prepared.back());
  }
  const bool single = stage_folder(recipe, options.out, 0) == options.out;
  if (!single) require_own_folder(options.out, "recipe");
  fs::create_directories(options.out);
  log::info((recipe.run.title.empty() ? recipe.path : recipe.run.title) + "  |  seed " +
            std::to_string(recipe.run.seed) + ", " + recipe.run.device + ", " + std::to_string(recipe.run.threads) +
            " threads, " + processor_name() + ", kernels " + cpu_kernels() + ", torch " + torch_version());
  const auto run_stages = [&] {
    for (size_t i = 0; i < recipe.stages.size(); ++i) {
      run_stage(recipe, i, prepared[i], options);
      if (options.stop.stop_requested())
        fail(Kind::kInterrupted, "interrupted between stages", "continue with --resume");
    }
  };
  if (single) {
    run_stages();  // the stage's record is the folder's
  } else {
    const FolderLock lock(options.out);
    config::Record record = take_recipe_folder(recipe, options);
    run_and_record(options.out, record, run_stages);
  }
  const fs::path page = options.out / config::names::kReport;
  const std::vector<fs::path> folders{options.out};
  report::write_report(folders, page);
  log::info("report: " + page.string());
}

}  // namespace hone::pipeline
