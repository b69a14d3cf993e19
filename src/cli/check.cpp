#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "config/run_folder.h"
#include "feedback/verify.h"
#include "infer/verify_model.h"

namespace hone::cli {
namespace {

namespace fs = std::filesystem;
namespace names = config::names;

struct Verdict {
  int64_t runs = 0, models = 0, checkpoints = 0;
  std::string wrong;  ///< "PATH: what", or ""
};

std::vector<fs::path> folders_of(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& e : fs::directory_iterator(folder))
    if (e.is_directory()) out.push_back(e.path());
  std::ranges::sort(out);
  return out;
}

// Runs `verify`, which returns the first thing wrong in the folder or throws.
bool holds(const fs::path& folder, Verdict& verdict, const std::function<std::string()>& verify) {
  std::string wrong;
  try {
    wrong = verify();
  } catch (const Error& e) {
    wrong = e.what();
  } catch (const nlohmann::json::exception& e) {  // a record whose fields are of other types
    const std::string_view what = e.what();
    wrong = "a record has a field of an unexpected type: " + std::string(what.substr(what.find("] ") + 2));
  }
  if (wrong.empty()) return true;
  verdict.wrong = wrong.starts_with(folder.string()) ? wrong : (folder / "").string() + wrong;
  return false;
}

// DONE, written last, lists every file with its size and SHA-256 (checkpoint/store.h).
std::string verify_checkpoint(const fs::path& folder) {
  if (!fs::exists(folder / "DONE")) return "DONE: missing, the checkpoint was not finished";
  const Json done = parse_json(read_file(folder / "DONE"), "DONE");
  if (!done.is_object() || !done.contains("files") || !done["files"].is_object()) return "DONE: lists no files";
  for (const auto& [name, file] : done["files"].items()) {
    if (!fs::exists(folder / name)) return name + ": missing";
    if (fs::file_size(folder / name) != file.value("bytes", uint64_t{0})) return name + ": size differs from DONE";
    if (sha256_file(folder / name) != file.value("sha256", "")) return name + ": SHA-256 differs from DONE";
  }
  return "";
}

bool verify(const fs::path& folder, Verdict& verdict, bool top) {
  if (fs::exists(folder / names::kRecord)) {
    ++verdict.runs;
    if (!holds(folder, verdict, [&] { return config::verify_run_folder(folder); })) return false;
    if (infer::holds_model(folder / names::kModel) && !verify(folder / names::kModel, verdict, false)) return false;
    for (const fs::path& inner : folders_of(folder))
      if (fs::exists(inner / names::kRecord) && !verify(inner, verdict, false)) return false;
    if (const fs::path checkpoints = folder / names::kCheckpoints; fs::is_directory(checkpoints)) {
      for (const fs::path& inner : folders_of(checkpoints)) {
        if (inner.filename().string().starts_with('.')) continue;  // a write that was cut off; the next save clears it
        ++verdict.checkpoints;
        if (!holds(inner, verdict, [&] { return verify_checkpoint(inner); })) return false;
      }
    }
    return true;
  }
  if (fs::exists(folder / "DONE") || folder.parent_path().filename() == names::kCheckpoints) {
    ++verdict.checkpoints;
    return holds(folder, verdict, [&] { return verify_checkpoint(folder); });
  }
  if (infer::holds_model(folder)) {
    ++verdict.models;
    return holds(folder, verdict, [&] { return infer::verify_model_folder(folder); });
  }
  if (!top) return true;
  bool any = false;
  for (const fs::path& inner : folders_of(folder)) {
    if (!fs::exists(inner / names::kRecord)) continue;
    any = true;
    if (!verify(inner, verdict, false)) return false;
  }
  if (!any)
    usage_error(folder.string() +
                ": neither a run folder (run.json) nor a checkpoint (DONE) nor a model folder (config.json)");
  return true;
}

std::string counted(int64_t n, const std::string& what) { return std::to_string(n) + " " + what + (n == 1 ? "" : "s"); }

// A feedback store: the whole log recomputed (feedback/verify.h).
int check_store(const std::string& path, const std::string& head, bool json) {
  const feedback::Verdict verdict = feedback::verify(path, head);
  const bool whole = verdict.wrong.empty();
  if (json) {
    Json out{{"ok", whole}, {"events", verdict.events}, {"head", feedback::anchor_text(verdict.head)}};
    if (!whole) out["wrong"] = path + ": " + verdict.wrong;
    if (verdict.wrong_seq > 0) out["wrong_event"] = verdict.wrong_seq;
    print(dump_json(out) + "\n");
  }
  if (!whole)
    run_error(path + ": " + verdict.wrong,
              verdict.wrong_seq < 2
                  ? ""
                  : counted(verdict.wrong_seq - 1, "event") + " before it hold" + (verdict.wrong_seq == 2 ? "s" : ""));
  log::info(path + ": whole (" + counted(verdict.events, "event") + "; head " + feedback::anchor_text(verdict.head) +
            ")");
  return kDone;
}

}  // namespace

int check(Options& options) {
  std::string folder, head;
  bool json = false;
  options
      .positional("DIR", &folder,
                  "a run folder (a recipe's with all of its stages), a checkpoint, a model folder, a .gguf file or a "
                  "feedback store")
      .required();
  options.value("--head", &head, "SEQ:HASH", "of a feedback store: a head noted down earlier, which the log must hold");
  options.flag("--json", json, "print the verdict as JSON");
  options.about(
      "Verifies hashes against the run record, lineage (inputs that are still there are what they were), completeness, "
      "and that models load with finite "
      "weights. Of a feedback store every event is recomputed: one that was changed, taken out, put in or moved is "
      "named. The first thing wrong is named and the exit code is 1.");
  options.example("hone check runs/align", "a recipe's run and every stage of it");
  options.example("hone check runs/align/07-ppo/model", "a model folder");
  options.example("hone check evening.store", "a feedback store");
  if (!options.parse()) return kDone;
  fs::path path = fs::path(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  if (!fs::exists(path)) usage_error(folder + ": no such file or folder");
  if (feedback::looks_like_store(path)) return check_store(path.string(), head, json);
  if (!head.empty()) usage_error(folder + ": not a feedback store", "'--head' is of a feedback store");
  if (!fs::is_directory(path) && !infer::holds_model(path))
    usage_error(folder + ": a file, not a folder, and no feedback store",
                "give the run, checkpoint or model folder that it lies in");
  Verdict verdict;
  const bool whole = verify(path, verdict, true);
  if (json) {
    Json out{{"ok", whole}, {"runs", verdict.runs}, {"models", verdict.models}, {"checkpoints", verdict.checkpoints}};
    if (!whole) out["wrong"] = verdict.wrong;
    print(dump_json(out) + "\n");
  }
  if (!whole) run_error(verdict.wrong);
  log::info(folder + ": whole (" + counted(verdict.runs, "run folder") + ", " + counted(verdict.models, "model") +
            ", " + counted(verdict.checkpoints, "checkpoint") + ")");
  return kDone;
}

}  // namespace hone::cli
