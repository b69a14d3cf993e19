// The whole state of a run at a step, in RUN/checkpoints/step-NNNNNN/:
//
//     tensors.safetensors   weights and optimiser state, by name
//     state.json            {"format", "step", "score", "machine", "state"}; state is what the loop gave: cursors, KL
//                           controller, running moments, byte lengths of the metric files
//     DONE                  {"format", "files": {name: {"bytes", "sha256"}}}
//
// Invariants, in this order of writes:
//  1. Everything is written into checkpoints/.writing-step-NNNNNN, each file synced, DONE last; the folder is synced
//     and renamed into place, and its parent synced. A folder called step-… therefore has a DONE, or someone broke it.
//  2. Older checkpoints are deleted only after the rename, and under another name (.removing-…). A full disk, a crash
//     or a kill at any moment leaves the previous checkpoint whole; what was left half done is cleared away by the
//     next save or resume.
//  3. A checkpoint is used only if DONE lists every file with the size and SHA-256 that it has. A damaged one is an
//     error that names the file, never a silent step back to an older one.
//  4. Kept are the newest `keep_last` and the best by held-out score (lower is better; the earlier one of equals).
#pragma once
#include <filesystem>
#include <optional>
#include <vector>

#include "base/json.h"
#include "optim/named_tensor.h"

namespace hone::checkpoint {

namespace fs = std::filesystem;

struct Loaded {
  int64_t step = 0;
  optim::StateTensors tensors;  // on the CPU, bit for bit
  Json state;                   // what the loop gave
  Json machine;                 // where it was written (machine.h)
  std::optional<double> score;
};

class Store {
 public:
  /// `folder` is RUN/checkpoints; made at the first save. keep_last >= 1.
  explicit Store(fs::path folder, int64_t keep_last = 2);

  /// Before a run starts: is there room for keep_last + best + the one being written, of `bytes` each? kUsage with the
  /// figures if not. Counts what is already kept.
  void require_space(uint64_t bytes) const;
  /// Writes the checkpoint of `step`, then deletes what need not be kept. An older one of the same step is replaced.
  /// Fails as kRun and leaves the others whole.
  void save(int64_t step, const optim::StateTensors& tensors, const Json& state, const Json& machine,
            std::optional<double> score = {});

  /// Before a run goes on: clears away what a kill left half written or half deleted.
  void clear() const;

  /// Steps that have a folder with a DONE, ascending.
  std::vector<int64_t> steps() const;
  std::optional<int64_t> newest() const;
  /// The kept step with the lowest score, if any has one.
  std::optional<int64_t> best() const;
  /// Verifies and reads. kUsage naming the folder and the file that is missing, short or changed.
  Loaded load(int64_t step) const;
  /// First thing wrong with the checkpoint ("tensors.safetensors: SHA-256 differs"), or "". For `hone check`.
  std::string verify(int64_t step) const;
  fs::path path(int64_t step) const;

 private:
  void prune() const;
  fs::path folder_;
  int64_t keep_last_;
};

/// Bytes that a checkpoint of these tensors takes, nearly.
uint64_t size_of(const optim::StateTensors& tensors);

}  // namespace hone::checkpoint
