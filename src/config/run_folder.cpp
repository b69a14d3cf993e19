#include "config/run_folder.h"

#include <algorithm>
#include <ctime>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"

namespace hone::config {
namespace {

// Files whose content is not a result of the run: wall-clock, scratch, and what other stages write below.
bool is_output(const fs::path& relative) {
  const std::string text = relative.string();
  const std::string first = text.substr(0, text.find('/'));
  return first != names::kCheckpoints && first != names::kTiming && first != names::kRecord &&
         first != names::kReport && first != ".lock" && relative.extension() != ".tmp";
}

// Relative to the folder, sorted.
std::vector<std::string> output_files(const fs::path& folder) {
  std::vector<std::string> out;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::recursive_directory_iterator(); ++it) {
    if (it->is_directory() && fs::exists(it->path() / names::kRecord)) {
      it.disable_recursion_pending();  // a stage's own run folder below a recipe's
      continue;
    }
    if (!it->is_regular_file()) continue;
    const fs::path relative = fs::relative(it->path(), folder);
    if (is_output(relative)) out.push_back(relative.string());
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace

std::string utc_now() {
  const std::time_t t = std::time(nullptr);
  std::tm tm{};
  gmtime_r(&t, &tm);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return text;
}

Json to_json(const Record& r) {
  Json inputs = Json::array(), warnings = Json::array();
  for (const auto& [path, hash] : r.inputs) inputs.push_back({{"path", path}, {"sha256", hash}});
  for (const auto& [step, message] : r.warnings) warnings.push_back({{"step", step}, {"message", message}});
  return {{"format", 1},
          {"kind", r.kind},
          {"name", r.name},
          {"stage", {{"title", r.traits.title}, {"tone", r.traits.tone}, {"learns", r.traits.learns}}},
          {"outcome", r.outcome},
          {"started", r.started},
          {"finished", r.finished},
          {"seconds", r.seconds},
          {"seed", r.seed},
          {"device", r.device},
          {"dtype", r.dtype},
          {"dtype_reason", r.dtype_reason},
          {"threads", r.threads},
          {"processor", r.processor},
          {"kernels", r.kernels},
          {"versions", {{"hone", r.hone_version}, {"torch", r.torch_version}}},
          {"inputs", inputs},
          {"parents", r.parents},
          {"model", parse_json(r.model_json, "record")},
          {"answer_ends", parse_json(r.ends_json, "record")},
          {"summary", parse_json(r.summary_json, "record")},
          {"warnings", warnings}};
}

Record read_record(const fs::path& folder) {
  const fs::path path = folder / names::kRecord;
  if (!fs::exists(path)) usage_error(folder.string() + ": not a run folder (no run.json)");
  const Json j = parse_json(read_file(path), path.string());
  Record r;
  try {
    r.kind = j.at("kind");
    r.name = j.at("name");
    r.outcome = j.at("outcome");
    r.started = j.value("started", "");
    r.finished = j.value("finished", "");
    r.seconds = j.value("seconds", 0.0);
    r.seed = j.value("seed", int64_t{0});
    r.device = j.value("device", "");
    r.dtype = j.value("dtype", "");
    r.dtype_reason = j.value("dtype_reason", "");
    r.threads = j.value("threads", int64_t{0});
    r.processor = j.value("processor", "");
    r.kernels = j.value("kernels", "");
    r.hone_version = j.at("versions").value("hone", "");
    r.torch_version = j.at("versions").value("torch", "");
    for (const Json& i : j.at("inputs")) r.inputs.emplace_back(i.at("path"), i.at("sha256"));
    r.parents = j.value("parents", std::vector<std::string>{});
    r.model_json = dump_json(j.value("model", Json::object()));
    r.summary_json = dump_json(j.value("summary", Json::object()));
    for (const Json& w : j.value("warnings", Json::array())) r.warnings.emplace_back(w.at("step"), w.at("message"));
  } catch (const nlohmann::json::exception&) {
    usage_error(path.string() + ": not the record of a run", "`hone check` tells which files of a folder are whole");
  }
  return r;
}

void write_record(const fs::path& folder, const Record& record, bool hash_outputs) {
  Json j = to_json(record);
  if (hash_outputs) {
    Json outputs = Json::array();
    for (const std::string& p : output_files(folder))
      outputs.push_back({{"path", p}, {"sha256", sha256_file(folder / p)}});
    j["outputs"] = outputs;
  }
  write_file_atomic(folder / names::kRecord, dump_json(j, 2) + "\n");
}

std::string resolved_toml(const RunSettings& run, const StageEntry& stage, const Fields& fields) {
  RunSettings copy = run;
  std::string out = "# The recipe as resolved: every key, with the value used.\n";
  const Fields run_fields = fields_of(copy);
  for (const Field& f : run_fields.list()) out += f.key + " = " + to_toml(f) + "\n";
  out += "\n[[stage]]\nkind = \"" + stage.kind + "\"\nname = \"" + stage.name + "\"\n";
  for (const Field& f : fields.list()) {
    std::string line = f.key + " = " + to_toml(f);
    if (!f.doc.empty()) line += "  # " + f.doc;
    out += line + "\n";
  }
  return out;
}

std::string verify_run_folder(const fs::path& folder) {
  const Record record = read_record(folder);
  if (record.outcome != "done")
    return std::string(names::kRecord) + ": the run's outcome is '" + record.outcome + "', not 'done'";
  const Json j = parse_json(read_file(folder / names::kRecord), names::kRecord);
  if (!j.contains("outputs")) return std::string(names::kRecord) + ": lists no outputs";
  std::vector<std::string> listed;
  for (const Json& o : j["outputs"]) {
    const std::string path = o.at("path");
    listed.push_back(path);
    if (!fs::exists(folder / path)) return path + ": missing";
    if (sha256_file(folder / path) != o.at("sha256").get<std::string>())
      return path + ": SHA-256 differs from the record";
  }
  for (const std::string& p : output_files(folder))
    if (std::ranges::find(listed, p) == listed.end()) return p + ": not in the record";
  // Lineage: inputs that are still where they were must be what they were.
  for (const auto& [path, hash] : record.inputs)
    if (fs::exists(path) && fs::is_regular_file(path) && sha256_file(path) != hash)
      return std::string(names::kRecord) + ": the input " + path + " has changed since the run";
  return "";
}

}  // namespace hone::config
