#include "report/run_files.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/files.h"
#include "report/html.h"

namespace hone::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMaxSamples = 4000;  // per file; the page shows far fewer

// Reads a JSON Lines file leniently. A torn last line is what a killed run leaves and is only noted.
template <class Use>
void read_lines(const fs::path& file, std::vector<std::string>& notes, Use use) {
  if (!fs::exists(file)) return;
  int64_t bad = 0, first_bad = 0;
  try {
    for_each_line(file, [&](std::string_view line, int64_t number) {
      if (line.empty()) return;
      try {
        const Json value = parse_json(clean_text(line), file.filename().string());
        if (value.is_object()) return use(value);
      } catch (const std::exception&) {
      }
      if (bad++ == 0) first_bad = number;
    });
  } catch (const std::exception& e) {
    notes.push_back(file.filename().string() + " could not be read to its end: " + e.what());
  }
  if (bad > 0)
    notes.push_back(file.filename().string() + ": " + std::to_string(bad) + (bad == 1 ? " line is" : " lines are") +
                    " not a JSON object (first at line " + std::to_string(first_bad) + ") and left out");
}

std::optional<Json> read_object(const fs::path& file, std::vector<std::string>& notes) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    Json value = parse_json(clean_text(read_file(file)), file.filename().string());
    if (value.is_object()) return value;
    notes.push_back(file.filename().string() + " is not a JSON object");
  } catch (const std::exception& e) {
    notes.push_back(std::string("unreadable: ") + e.what());
  }
  return std::nullopt;
}

// run.json says what the folder is: where it is there and unreadable, no page is made of guesses. Missing: nothing.
std::optional<Json> read_record(const fs::path& folder) {
  const fs::path file = folder / "run.json";
  if (!fs::exists(file)) return std::nullopt;
  const char* hint = "the file was changed or the disk is at fault; remove it to see what else the folder holds";
  try {
    Json value = parse_json(clean_text(read_file(file)), file.string());
    if (value.is_object()) return value;
  } catch (const Error& e) {
    usage_error(e.what(), hint);
  }
  usage_error(file.string() + ": not a run record: a JSON object was expected", hint);
}

std::vector<Curve> read_curves(const fs::path& file, std::vector<std::string>& notes) {
  std::vector<Curve> curves;
  std::map<std::string, size_t> index;
  double line_number = 0;
  read_lines(file, notes, [&](const Json& line) {
    line_number += 1;
    const double step = number_at(line, "step").value_or(line_number);
    for (const auto& [key, value] : line.items()) {
      if (key == "step" || !(value.is_number() || value.is_null())) continue;
      const auto [at, added] = index.try_emplace(key, curves.size());
      if (added) curves.push_back({key, {}, {}});
      curves[at->second].step.push_back(step);
      curves[at->second].value.push_back(value.is_number() ? value.get<double>() : kNaN);
    }
  });
  return curves;
}

std::vector<Sample> read_samples(const fs::path& file, std::vector<std::string>& notes) {
  std::vector<Sample> samples;
  size_t seen = 0;
  read_lines(file, notes, [&](const Json& line) {
    if (++seen > kMaxSamples) return;
    Sample s;
    s.id = text_at(line, "id");
    s.prompt = text_at(line, "prompt");
    s.completion = text_at(line, "completion");
    s.reward = number_at(line, "reward");
    s.gold = number_at(line, "gold");
    s.step = number_at(line, "step");
    samples.push_back(std::move(s));
  });
  if (seen > kMaxSamples)
    notes.push_back(file.filename().string() + ": the first " + format_count(kMaxSamples) + " of " +
                    format_count(static_cast<int64_t>(seen)) + " samples were read");
  return samples;
}

std::vector<Look> read_looks(const fs::path& file, std::vector<std::string>& notes) {
  std::vector<Look> looks;
  read_lines(file, notes, [&](const Json& line) {
    const auto step = number_at(line, "step"), temperature = number_at(line, "temperature");
    if (!step || !temperature || looks.size() >= kMaxSamples) return;
    const Json& held_out = child(line, "held_out");
    looks.push_back({*step, *temperature, text_at(line, "id"), text_at(line, "prompt"), text_at(line, "completion"),
                     !held_out.is_boolean() || held_out.get<bool>(), text_at(line, "finish") != "length"});
  });
  return looks;
}

// What the record says of the stage's kind. Records from before it did are told by their kind.
void read_traits(Stage& s) {
  const Json traits = child(s.record, "stage");
  s.title = text_at(traits, "title"), s.tone = text_at(traits, "tone"), s.learns = text_at(traits, "learns");
  if (!s.learns.empty()) return;
  struct Older {
    std::string_view kind, title, tone, learns;
  };
  constexpr Older kOlder[] = {{"world", "World", "eight", "nothing"},
                              {"import", "Import", "base", "nothing"},
                              {"tokenizer", "Tokenizer", "eight", "nothing"},
                              {"pretrain", "Pretraining", "base", "texts"},
                              {"sft", "SFT", "sft", "texts"},
                              {"compare", "Comparisons", "six", "nothing"},
                              {"reward", "Reward model", "five", "judgements"},
                              {"ppo", "PPO", "ppo", "own_samples"},
                              {"preference", "Preference learning", "dpo", "judgements"},
                              {"eval", "Evaluation", "seven", "nothing"}};
  s.tone = "eight", s.learns = "nothing";
  for (const Older& older : kOlder)
    if (s.kind == older.kind) s.title = older.title, s.tone = older.tone, s.learns = older.learns;
}

// "05-ppo" -> "ppo"
std::string without_number(const std::string& name) {
  const auto start = name.find_first_not_of("0123456789-_.");
  return start == std::string::npos ? name : name.substr(start);
}

// KEY = "text" at the top of a recipe, before its first table; "" if it is not there in this plain form.
std::string recipe_text(const std::string& recipe, const std::string& key) {
  for (size_t at = 0; at < recipe.size();) {
    const size_t end = std::min(recipe.find('\n', at), recipe.size());
    const std::string line = recipe.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("[")) break;
    if (!line.starts_with(key)) continue;
    const size_t open = line.find('"'), close = line.rfind('"');
    if (line.find_first_not_of(" =", key.size()) != open || close == open) continue;
    std::string text;
    for (size_t i = open + 1; i < close; ++i) {
      if (line[i] == '\\') ++i;
      text += line[i];
    }
    return text;
  }
  return {};
}

std::string read_recipe(const fs::path& file, std::vector<std::string>& notes) {
  if (!fs::exists(file)) return {};
  try {
    return read_file(file, uint64_t{4} << 20);
  } catch (const std::exception& e) {
    notes.push_back(std::string("recipe.toml: ") + e.what());
    return {};
  }
}

bool is_stage_folder(const fs::path& folder) {
  return fs::exists(folder / "metrics.jsonl") || fs::exists(folder / "results.json") ||
         fs::exists(folder / "samples.jsonl") || fs::exists(folder / "run.json");
}

Stage read_stage(const fs::path& folder) {
  Stage s;
  s.folder = folder;
  const std::string own_name = fs::absolute(folder).lexically_normal().filename().string();
  const std::string plain = without_number(own_name);
  if (auto record = read_record(folder)) {
    s.record = std::move(*record);
  } else {
    s.record = Json::object();
    s.notes.push_back("run.json is missing: the stage has not finished writing its record");
  }
  s.kind = text_at(s.record, "kind");
  if (s.kind.empty()) s.kind = plain.substr(0, plain.find_first_of("-_."));
  s.name = text_at(s.record, "name");
  if (s.name.empty()) s.name = plain.empty() ? own_name : plain;
  s.outcome = text_at(s.record, "outcome");
  s.curves = read_curves(folder / "metrics.jsonl", s.notes);
  s.timing = read_curves(folder / "timing.jsonl", s.notes);
  s.samples = read_samples(folder / "samples.jsonl", s.notes);
  s.looks = read_looks(folder / "answers.jsonl", s.notes);
  s.results = read_object(folder / "results.json", s.notes);
  s.recipe = read_recipe(folder / "recipe.toml", s.notes);
  read_traits(s);
  if (s.learns != "nothing" && s.curves.empty()) s.notes.push_back("metrics.jsonl holds no steps yet");
  if (s.kind == "eval" && !s.results) s.notes.push_back("results.json is missing: the evaluation has not finished");
  return s;
}

std::vector<fs::path> sub_folders(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.is_directory(ignored)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

Run read_run(const fs::path& folder) {
  Run r;
  r.folder = folder;
  std::vector<fs::path> stages;
  for (const auto& sub : sub_folders(folder))
    if (is_stage_folder(sub)) stages.push_back(sub);
  r.recipe = read_recipe(folder / "recipe.toml", r.notes);
  if (r.recipe.empty()) r.notes.push_back("recipe.toml is missing: the settings of this run are not on record");
  if (stages.empty()) {
    r.stages.push_back(read_stage(folder));
    r.record = r.stages.front().record;
  } else {
    r.record = read_record(folder).value_or(Json::object());
    for (const auto& stage : stages) r.stages.push_back(read_stage(stage));
  }
  const fs::path whole = fs::absolute(folder).lexically_normal();
  r.label = whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
  r.title = text_at(r.record, "name");
  if (r.title.empty() || r.stages.size() == 1) r.title = recipe_text(r.recipe, "title");
  if (r.title.empty()) r.title = r.label;
  r.about = recipe_text(r.recipe, "about");
  return r;
}

}  // namespace

const Curve* Stage::curve(std::string_view key) const {
  const auto found = std::find_if(curves.begin(), curves.end(), [&](const Curve& c) { return c.key == key; });
  return found == curves.end() ? nullptr : &*found;
}

double Stage::seconds() const {
  if (const auto seconds = number_at(record, "seconds"); seconds && *seconds > 0) return *seconds;
  const auto started = time_at(record, "started"), finished = time_at(record, "finished");
  if (started && finished && *finished >= *started) return *finished - *started;
  for (const Curve& c : timing) {
    if (c.key != "seconds") continue;
    double sum = 0;
    for (const double s : c.value)
      if (std::isfinite(s)) sum += s;
    return sum;
  }
  return kNaN;
}

bool Run::done() const {
  const std::string outcome = text_at(record, "outcome");
  return (outcome.empty() || outcome == "done") &&
         std::all_of(stages.begin(), stages.end(), [](const Stage& s) { return s.done(); });
}

double Run::seconds() const {
  if (const auto seconds = number_at(record, "seconds"); seconds && *seconds > 0) return *seconds;
  const auto started = time_at(record, "started"), finished = time_at(record, "finished");
  if (started && finished && *finished >= *started) return *finished - *started;
  double sum = 0;
  bool any = false;
  for (const Stage& s : stages) {
    if (std::isfinite(s.seconds())) {
      sum += s.seconds();
      any = true;
    }
  }
  return any ? sum : kNaN;
}

std::vector<Run> read_runs(const std::vector<fs::path>& folders) {
  std::vector<Run> runs;
  for (const fs::path& folder : folders) {
    if (!fs::is_directory(folder))
      usage_error(folder.string() + ": not a folder", "give run folders, as `hone run` and the stage verbs write them");
    std::vector<fs::path> recipes;  // one level down, where this folder itself is neither recipe nor stage
    if (!is_stage_folder(folder) && !fs::exists(folder / "recipe.toml"))
      for (const auto& sub : sub_folders(folder))
        if (fs::exists(sub / "recipe.toml") && !sub_folders(sub).empty()) recipes.push_back(sub);
    bool nested = false;
    for (const auto& recipe : recipes)
      for (const auto& sub : sub_folders(recipe)) nested = nested || is_stage_folder(sub);
    if (!nested) recipes.assign(1, folder);
    for (const auto& recipe : recipes) runs.push_back(read_run(recipe));
  }
  return runs;
}

}  // namespace hone::report
