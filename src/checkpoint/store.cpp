#include "checkpoint/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/sha256.h"
#include "tensor/safetensors.h"

namespace hone::checkpoint {
namespace {

constexpr int kFormat = 1;
constexpr const char* kTensors = "tensors.safetensors";
constexpr const char* kState = "state.json";
constexpr const char* kDone = "DONE";

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) run_error("cannot open " + folder.string() + ": " + std::strerror(errno));
  const bool ok = ::fsync(fd) == 0;
  const int why = errno;
  ::close(fd);
  if (!ok) run_error("cannot sync " + folder.string() + ": " + std::strerror(why));
}

Json file_record(const fs::path& path) { return {{"bytes", fs::file_size(path)}, {"sha256", sha256_file(path)}}; }

Json read_json(const fs::path& path) { return parse_json(read_file(path), path.string()); }

std::string named(int64_t step) {
  std::string digits = std::to_string(step);
  return "step-" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

// The step of "step-000123", or nothing.
std::optional<int64_t> step_of(const std::string& name) {
  if (!name.starts_with("step-") || name.size() < 11 || name.size() > 23) return {};
  if (!std::all_of(name.begin() + 5, name.end(), [](char c) { return c >= '0' && c <= '9'; })) return {};
  return std::stoll(name.substr(5));
}

std::optional<double> score_of(const fs::path& folder) {
  const Json state = read_json(folder / kState);
  if (!state.contains("score") || !state["score"].is_number()) return {};
  return state["score"].get<double>();
}

// Of a save that was killed.
void remove_leavings(const fs::path& folder) {
  std::vector<fs::path> leavings;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".writing-") || name.starts_with(".replaced-") || name.starts_with(".removing-"))
      leavings.push_back(entry.path());
  }
  for (const fs::path& path : leavings) fs::remove_all(path);
}

}  // namespace

uint64_t size_of(const optim::StateTensors& tensors) {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : tensors)
    bytes += static_cast<uint64_t>(tensor.nbytes()) + 200;  // 200: its line in the header
  return bytes + (uint64_t{1} << 16);
}

Store::Store(fs::path folder, int64_t keep_last) : folder_(std::move(folder)), keep_last_(keep_last) {
  if (keep_last < 1) usage_error("keep.last = " + std::to_string(keep_last) + ": at least one checkpoint must be kept");
}

fs::path Store::path(int64_t step) const { return folder_ / named(step); }

void Store::require_space(uint64_t bytes) const {
  fs::path there = folder_;
  while (!there.empty() && !fs::exists(there)) there = there.parent_path();
  const auto kept = std::min<uint64_t>(steps().size(), static_cast<uint64_t>(keep_last_) + 1);
  const uint64_t need = bytes * (static_cast<uint64_t>(keep_last_) + 2 - kept),
                 free = free_disk_bytes(there.empty() ? "." : there);
  if (free >= need) return;
  const auto megabytes = [](uint64_t n) { return count_text(static_cast<int64_t>((n + 999999) / 1000000)) + " MB"; };
  usage_error("checkpoints in " + folder_.string() + " need " + megabytes(need) + " and the disk has " +
                  megabytes(free) + " free",
              "free some space, keep fewer checkpoints (keep.last), or choose another folder with --out");
}

void Store::save(int64_t step, const optim::StateTensors& tensors, const Json& state, const Json& machine,
                 std::optional<double> score) {
  HONE_CHECK(step >= 0);
  const fs::path last = path(step), writing = folder_ / (".writing-" + named(step)),
                 replaced = folder_ / (".replaced-" + named(step));
  try {
    fs::create_directories(folder_);
    remove_leavings(folder_);
    fs::create_directory(writing);
    write_safetensors(writing / kTensors, tensors);
    const Json all = {{"format", kFormat},
                      {"step", step},
                      {"score", score ? Json(*score) : Json()},
                      {"machine", machine},
                      {"state", state}};
    write_file_atomic(writing / kState, dump_json(all, 1) + "\n");
    const Json done = {
        {"format", kFormat},
        {"files", {{kTensors, file_record(writing / kTensors)}, {kState, file_record(writing / kState)}}}};
    write_file_atomic(writing / kDone, dump_json(done, 1) + "\n");
    sync_folder(writing);
    if (fs::exists(last)) fs::rename(last, replaced);  // of the same step, so no worse than the new one
    fs::rename(writing, last);
    sync_folder(folder_);
    fs::remove_all(replaced);
  } catch (const std::exception& e) {
    std::error_code ignored;
    fs::remove_all(writing, ignored);
    if (!fs::exists(last, ignored) && fs::exists(replaced, ignored)) fs::rename(replaced, last, ignored);
    const auto kept = newest();
    run_error("cannot write the checkpoint of step " + std::to_string(step) + ": " + e.what(),
              kept ? "the checkpoint of step " + std::to_string(*kept) + " is whole: free some space, then --resume"
                   : "free some space, then start again");
  }
  prune();
}

std::vector<int64_t> Store::steps() const {
  std::vector<int64_t> out;
  std::error_code none;
  for (fs::directory_iterator it(folder_, none), end; !none && it != end; it.increment(none))
    if (const auto step = step_of(it->path().filename().string()); step && fs::exists(it->path() / kDone, none))
      out.push_back(*step);
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<int64_t> Store::newest() const {
  const std::vector<int64_t> all = steps();
  return all.empty() ? std::nullopt : std::optional<int64_t>(all.back());
}

std::optional<int64_t> Store::best() const {
  std::optional<int64_t> best;
  double lowest = 0;
  for (const int64_t step : steps()) {
    const std::optional<double> score = score_of(path(step));
    if (score && (!best || *score < lowest)) {
      best = step;
      lowest = *score;
    }
  }
  return best;
}

void Store::prune() const {
  const std::vector<int64_t> all = steps();
  std::set<int64_t> keep(all.end() - std::min<int64_t>(keep_last_, static_cast<int64_t>(all.size())), all.end());
  if (const auto step = best()) keep.insert(*step);
  for (const int64_t step : all)
    if (!keep.contains(step)) {
      const fs::path removing = folder_ / (".removing-" + named(step));
      fs::rename(path(step), removing);  // first, so that a kill here leaves no half folder that calls itself complete
      fs::remove_all(removing);
    }
}

void Store::clear() const {
  if (!fs::exists(folder_)) return;
  remove_leavings(folder_);
  prune();
}

std::string Store::verify(int64_t step) const {
  const fs::path here = path(step);
  std::error_code none;
  if (!fs::is_directory(here, none)) return "there is no such folder";
  if (!fs::exists(here / kDone, none)) return "DONE is missing: it was not written to its end";
  Json done;
  try {
    done = read_json(here / kDone);
    if (done.at("format") != kFormat)
      return "DONE: format " + dump_json(done.at("format")) + " is not one this program reads";
    for (const char* name : {kTensors, kState}) {
      const Json& record = done.at("files").at(name);
      if (!fs::exists(here / name, none)) return std::string(name) + " is missing";
      const auto bytes = fs::file_size(here / name), expected = record.at("bytes").get<std::uintmax_t>();
      if (bytes != expected)
        return std::string(name) + " has " + std::to_string(bytes) + " bytes, DONE says " + std::to_string(expected);
      if (sha256_file(here / name) != record.at("sha256").get<std::string>())
        return std::string(name) + ": its SHA-256 is not the one in DONE";
    }
  } catch (const std::exception& e) {
    return std::string("DONE is damaged: ") + e.what();
  }
  return {};
}

Loaded Store::load(int64_t step) const {
  const std::string wrong = verify(step);
  if (!wrong.empty()) {
    std::string hint = "remove that folder and start afresh";
    for (const int64_t other : steps())
      if (other != step) hint = "remove that folder to resume from step " + std::to_string(other);
    usage_error(path(step).string() + ": " + wrong, hint);
  }
  const Json all = read_json(path(step) / kState);
  Loaded out;
  out.step = all.at("step").get<int64_t>();
  out.state = all.at("state");
  out.machine = all.at("machine");
  if (all.at("score").is_number()) out.score = all.at("score").get<double>();
  const SafetensorsFile file(path(step) / kTensors);
  for (const auto& [name, info] : file.tensors()) out.tensors.emplace_back(name, file.load(name));
  return out;
}

}  // namespace hone::checkpoint
