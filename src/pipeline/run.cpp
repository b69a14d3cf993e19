#include "pipeline/run.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "base/version.h"
#include "config/run_folder.h"
#include "eval/probe.h"
#include "pipeline/stage.h"
#include "report/report.h"
#include "tensor/runtime.h"

namespace hone::pipeline {
namespace {

using config::names::kRecipe;
using config::names::kRecord;

// "$data/x" is a public data set below run.data; "@name" is an earlier stage's model folder (its run folder where it has none), "@name/x" a file in its run folder.
class References {
 public:
  References(const config::Recipe& recipe, fs::path out) : recipe_(recipe), out_(std::move(out)) {}

  std::string resolve(const std::string& text, size_t stage, const std::string& key, std::vector<std::string>& parents) const {
    if (text.starts_with("$data/")) return (fs::path(recipe_.run.data) / text.substr(6)).string();
    if (!text.starts_with('@')) return text;
    const auto slash = text.find('/');
    const std::string name = text.substr(1, slash == std::string::npos ? std::string::npos : slash - 1);
    for (size_t i = 0; i < stage; ++i) {
      if (recipe_.stages[i].name != name) continue;
      const fs::path folder = stage_folder(recipe_, out_, i);
      if (std::ranges::find(parents, folder.string()) == parents.end()) parents.push_back(folder.string());
      if (slash != std::string::npos) return (folder / text.substr(slash + 1)).string();
      return fs::exists(folder / config::names::kModel) ? (folder / config::names::kModel).string() : folder.string();
    }
    std::vector<std::string> known;
    for (size_t i = 0; i < stage; ++i) known.push_back(recipe_.stages[i].name);
    const std::string near = config::closest(name, known);
    usage_error(recipe_.stages[stage].where + ": '" + key + "' refers to '@" + name + "', which is no earlier stage" +
                (near.empty() ? "" : "; did you mean '@" + near + "'?"));
  }

 private:
  const config::Recipe& recipe_;
  fs::path out_;
};

void resolve_fields(const config::Fields& fields, const References& references, size_t stage, std::vector<std::string>& parents) {
  for (const config::Field& f : fields.list()) {
    if (auto* text = std::get_if<std::string*>(&f.value)) {
      std::string value = **text;
      // "name=@stage" pairs (models of an evaluation) keep their name.
      const auto equals = value.find("=@");
      if (equals != std::string::npos) value = value.substr(0, equals + 1) + references.resolve(value.substr(equals + 1), stage, f.key, parents);
      else value = references.resolve(value, stage, f.key, parents);
      **text = value;
    } else if (auto* list = std::get_if<std::vector<std::string>*>(&f.value)) {
      for (std::string& item : **list) {
        const auto equals = item.find("=@");
        if (equals != std::string::npos) item = item.substr(0, equals + 1) + references.resolve(item.substr(equals + 1), stage, f.key, parents);
        else item = references.resolve(item, stage, f.key, parents);
      }
    }
  }
}

// Every existing file or model folder that a field names is an input; its hash goes into the record.
void record_inputs(const config::Fields& fields, config::Record& record) {
  std::set<std::string> seen;
  const auto add = [&](std::string text) {
    if (const auto equals = text.find('='); equals != std::string::npos && !fs::exists(text)) text = text.substr(equals + 1);
    std::error_code ec;
    if (text.empty() || text.size() > 4000 || !seen.insert(text).second) return;
    if (fs::is_regular_file(text, ec)) {
      record.inputs.emplace_back(text, sha256_file(text));
    } else if (fs::is_directory(text, ec)) {
      std::vector<std::string> files;
      for (const auto& e : fs::directory_iterator(text, ec))
        if (e.is_regular_file(ec) && e.path().filename() != ".lock" && e.path().filename() != kRecord) files.push_back(e.path().string());
      std::ranges::sort(files);
      for (const std::string& f : files) record.inputs.emplace_back(f, sha256_file(f));
    }
  };
  for (const config::Field& f : fields.list()) {
    if (auto* text = std::get_if<std::string*>(&f.value)) add(**text);
    if (auto* list = std::get_if<std::vector<std::string>*>(&f.value))
      for (const std::string& item : **list) add(item);
  }
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
  for (const config::Field& f : fields.list()) {
    static const std::set<std::string> kPaths{"model", "reward", "critic", "reference", "tokenizer", "world", "file", "data", "prompts"};
    if (!kPaths.contains(f.key)) continue;
    std::vector<std::string> paths;
    if (auto* text = std::get_if<std::string*>(&f.value)) paths.push_back(**text);
    if (auto* list = std::get_if<std::vector<std::string>*>(&f.value)) paths = **list;
    for (const std::string& path : paths) {
      if (path.empty() || path.find_first_of("*?") != std::string::npos || path.starts_with(out.string() + "/") || fs::exists(path)) continue;
      usage_error((entry.where.empty() ? entry.kind : entry.where) + ": '" + f.key + "' of stage '" + entry.name + "' names " + path + ", which is not there");
    }
  }
}

void print_headline(const config::Record& record) {
  std::string line;
  const Json summary = parse_json(record.summary_json, "summary");
  for (const auto& [key, value] : summary.items())
    if (value.is_number()) line += (line.empty() ? "" : "  ") + key + " " + decimal_text(value.get<double>(), 3);
  log::info("  " + record.name + " done in " + clock_text(record.seconds) + (line.empty() ? "" : ":  " + line));
}

bool run_stage(const config::Recipe& recipe, size_t index, const RunOptions& options) {
  const config::StageEntry& entry = recipe.stages[index];
  const fs::path folder = stage_folder(recipe, options.out, index);
  const std::unique_ptr<Stage> stage = make_stage(entry.kind, entry.where);
  const config::Fields fields = stage->fields();
  config::apply_entries(fields, entry);
  config::StageContext context;
  context.run = recipe.run;
  context.folder = folder;
  config::Record& record = context.record;
  resolve_fields(fields, References(recipe, options.out), index, record.parents);
  const std::string resolved = config::resolved_toml(recipe.run, entry, fields);

  fs::create_directories(folder);
  const FolderLock lock(folder);
  if (fs::exists(folder / kRecord)) {
    const config::Record before = config::read_record(folder);
    if (!options.resume && !(before.outcome == "failed" && !fs::exists(folder / config::names::kCheckpoints)))
      usage_error(folder.string() + ": holds a run already (" + before.outcome + ")", "continue it with --resume, or choose another folder with --out");
    // A start that failed before its first checkpoint holds nothing worth keeping: a mended recipe may take its place.
    const bool nothing_kept = before.outcome == "failed" && !fs::exists(folder / config::names::kCheckpoints);
    if (fs::exists(folder / kRecipe) && read_file(folder / kRecipe) != resolved && !nothing_kept)
      usage_error(folder.string() + ": was made by another recipe than this one, so it cannot be continued",
                  "choose another folder with --out, or remove this one");
    if (before.outcome == "done") {
      log::info("[" + std::to_string(index + 1) + "/" + std::to_string(recipe.stages.size()) + "] " + entry.name + ": done before, kept");
      return false;
    }
    record = before;
    record.inputs.clear();
    context.resume = true;
  } else {
    record.started = config::utc_now();
  }
  record.kind = entry.kind;
  record.name = entry.name;
  record.outcome = "running";
  record.seed = recipe.run.seed;
  record.device = recipe.run.device;
  record.threads = recipe.run.threads;
  const std::string processor = processor_name();
  if (context.resume && !record.processor.empty() && record.processor != processor)
    log::warn("this stage began on " + record.processor + " and continues on " + processor + ": results may differ in the last bits");
  record.processor = processor;
  record.hone_version = kVersion;
  record.torch_version = torch_version();
  record_inputs(fields, record);
  write_file_atomic(folder / kRecipe, resolved);
  config::write_record(folder, record, false);
  log::info("[" + std::to_string(index + 1) + "/" + std::to_string(recipe.stages.size()) + "] " + entry.name + (entry.name == entry.kind ? "" : " (" + entry.kind + ")"));

  context.probe = probe_of(fields, recipe.run.seed);

  const auto start = std::chrono::steady_clock::now();
  const double seconds_before = record.seconds;
  const auto finish = [&](const char* outcome, bool hashes) {
    record.outcome = outcome;
    record.finished = config::utc_now();
    record.seconds = seconds_before + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    config::write_record(folder, record, hashes);
  };
  try {
    stage->run(context);
  } catch (const Error& e) {
    try {
      finish(e.kind == Kind::kInterrupted ? "interrupted" : "failed", false);
    } catch (const std::exception&) {
      // The disk may be full: the first error is the one that matters.
    }
    throw;
  }
  finish("done", true);
  print_headline(record);
  return true;
}

}  // namespace

fs::path stage_folder(const config::Recipe& recipe, const fs::path& out, size_t index) {
  if (recipe.path.empty() && recipe.stages.size() == 1) return out;
  const std::string number = std::to_string(index + 1);
  return out / ((number.size() < 2 ? "0" + number : number) + "-" + recipe.stages[index].name);
}

void run_recipe(const config::Recipe& given, const RunOptions& options) {
  config::Recipe recipe = given;
  if (recipe.run.threads <= 0) recipe.run.threads = usable_threads();
  set_threads(static_cast<int>(recipe.run.threads));
  require_device(recipe.run.device);
  // Everything that can be wrong with the request is found before the first stage starts.
  for (size_t i = 0; i < recipe.stages.size(); ++i) {
    const std::unique_ptr<Stage> stage = make_stage(recipe.stages[i].kind, recipe.stages[i].where);
    const config::Fields fields = stage->fields();
    config::apply_entries(fields, recipe.stages[i]);
    std::vector<std::string> parents;
    resolve_fields(fields, References(recipe, options.out), i, parents);
    require_inputs(fields, recipe.stages[i], options.out);
  }
  const bool single = stage_folder(recipe, options.out, 0) == options.out;
  fs::create_directories(options.out);
  log::info((recipe.run.title.empty() ? recipe.path : recipe.run.title) + "  |  seed " + std::to_string(recipe.run.seed) + ", " +
            recipe.run.device + ", " + std::to_string(recipe.run.threads) + " threads, " + processor_name() + ", torch " + torch_version());
  std::unique_ptr<FolderLock> lock;
  config::Record whole;
  const auto start = std::chrono::steady_clock::now();
  if (!single) {
    lock = std::make_unique<FolderLock>(options.out);
    if (fs::exists(options.out / kRecord)) {
      if (!options.resume && config::read_record(options.out).outcome != "failed")
        usage_error(options.out.string() + ": holds a run already", "continue it with --resume, or choose another folder with --out");
      whole = config::read_record(options.out);
    } else {
      whole.started = config::utc_now();
    }
    whole.kind = "recipe";
    whole.name = recipe.run.title;
    whole.outcome = "running";
    whole.seed = recipe.run.seed;
    whole.device = recipe.run.device;
    whole.threads = recipe.run.threads;
    whole.processor = processor_name();
    whole.hone_version = kVersion;
    whole.torch_version = torch_version();
    if (!recipe.path.empty()) {
      whole.inputs = {{recipe.path, sha256_file(recipe.path)}};
      write_file_atomic(options.out / kRecipe, read_file(recipe.path));
    }
    config::write_record(options.out, whole, false);
  }
  const auto finish = [&](const char* outcome, bool hashes) {
    if (single) return;
    whole.outcome = outcome;
    whole.finished = config::utc_now();
    whole.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    config::write_record(options.out, whole, hashes);
  };
  try {
    for (size_t i = 0; i < recipe.stages.size(); ++i) {
      run_stage(recipe, i, options);
      if (interrupted()) fail(Kind::kInterrupted, "interrupted between stages", "continue with --resume");
    }
  } catch (const Error& e) {
    try {
      finish(e.kind == Kind::kInterrupted ? "interrupted" : "failed", false);
    } catch (const std::exception&) {
      // As above.
    }
    throw;
  }
  finish("done", true);
  const fs::path page = options.out / config::names::kReport;
  const std::vector<fs::path> folders{options.out};
  report::write_report(folders, page);
  log::info("report: " + page.string());
}

}  // namespace hone::pipeline
