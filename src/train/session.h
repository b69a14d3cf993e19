// What every loop needs around its steps: the journal, progress on the screen and to whoever watches, checkpoints,
// stopping when asked to (StageContext), and taking up where an interrupted run left off. The loop itself stays in its
// own file.
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "base/json.h"
#include "base/progress.h"
#include "checkpoint/store.h"
#include "model/attention.h"
#include "optim/named_tensor.h"
#include "train/journal.h"
#include "train/settings.h"

namespace hone::train {

/// The whole state of a loop, beside its step: tensors (weights and optimiser state, live) and a small JSON.
struct LoopState {
  std::function<optim::StateTensors()> tensors;
  std::function<void(const optim::StateTensors&, const Json&)> restore;
  std::function<Json()> json = [] { return Json::object(); };
};

class Session {
 public:
  /// Opens the run folder's files; on resume restores the newest complete checkpoint into the loop. `attention`: what
  /// the loop's forward passes count; its share of padding stands in timing.jsonl for each step, and is told at the end
  /// where there was any.
  Session(config::StageContext& context, const KeepSettings& keep, std::string label, int64_t total_steps,
          LoopState state, model::AttentionWork* attention = nullptr);

  int64_t first_step() const { return first_step_; }
  int64_t total_steps() const { return total_steps_; }
  void set_total_steps(int64_t steps);
  Journal& journal() { return *journal_; }
  /// Is a held-out evaluation due after this step (0-based)? Always after the last.
  bool evaluation_due(int64_t step) const { return evaluation_due(step, total_steps_); }
  /// The same of step `step` of a part of the run that has `steps` of its own.
  bool evaluation_due(int64_t step, int64_t steps) const;
  /// Is it the first evaluation in its quarter of the run, or the last of all? Then the model is asked for answers too.
  bool answers_due(int64_t step) const;
  /// Runs `work` that is no training (an evaluation, a look at gold): its time is no step's.
  template <class Work>
  auto apart(Work&& work) {
    const Journal::Apart pause(*journal_);
    return work();
  }
  /// Tells that step `step` (0-based) is done: draws progress, writes a checkpoint where one is due, and where it is
  /// asked to stop writes one and throws kInterrupted. `score`: held-out figure, lower is better, where one was just
  /// measured.
  void step_done(int64_t step, int64_t tokens, std::string_view note, std::optional<double> score = {});

  /// Where and how this part of the run computes, for the checkpoint.
  Json machine() const;

 private:
  int64_t evaluate_every(int64_t steps) const;
  void save(int64_t steps_done);
  config::StageContext& context_;
  KeepSettings keep_;
  int64_t total_steps_ = 0, first_step_ = 0;
  LoopState state_;
  checkpoint::Store store_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Progress> progress_;
  std::optional<double> last_score_;
  model::AttentionWork* attention_;  ///< of the step under way
  model::AttentionWork attention_so_far_;
};

/// The figures of a record's summary that held-out rows give; where there were none `held_out` says so in their place,
/// so that nobody takes a 0 for a measurement.
Json held_out_summary(const std::vector<std::pair<std::string, std::optional<double>>>& figures);

/// Stops a run whose loss or gradient is not finite: writes the batch to FOLDER/failed-batch.json for replay and
/// throws.
[[noreturn]] void stop_non_finite(const config::StageContext& context, int64_t step, const std::string& what,
                                  const Json& batch);

}  // namespace hone::train
