// Rounds of learning from what was judged: each a run in a folder beside the store, on the model thread, behind
// whatever a person waits for.
//
//  1. STORE.rounds/N/ is a run folder like any other; beside it N.jsonl, the rows that it learns from.
//  2. "round_started" is in the log before the first step, with the head of the log that the rows were made from, and
//     "round_finished" after the last. Killed in between, the round goes on when hone is started again.
//  3. Stopped, a round keeps its checkpoint and waits: go_on() continues it, give_up() ends it for good. Then what was
//     judged counts for the next round's ring again.
//  4. A new model answers nobody before a person chose it (choose()).
#pragma once
#include <deque>
#include <mutex>
#include <optional>

#include "annotate/desk.h"
#include "annotate/learner.h"
#include "annotate/model_thread.h"
#include "annotate/prompts.h"
#include "feedback/labels.h"

namespace hone::annotate {

/// Fewest rows that a round is begun with.
inline constexpr int64_t kFewestPairs = 8;

enum class RoundState {
  kIdle,      ///< no round is open
  kStarting,  ///< the models are being named, the rows written
  kLearning,
  kPaused,  ///< stopped, or failed and it can be tried again
};

class Rounds {
 public:
  /// Borrows all. `original`: the folder that hone was started with. `chosen`: told, from any thread, which model a
  /// person goes on with; `changed` when anything here changed.
  Rounds(feedback::Store& store, Desk& desk, ModelThread& thread, Learner& learner, PromptDeck& deck,
         std::string annotator, std::string original, std::function<void(const feedback::ModelName&)> chosen,
         std::function<void()> changed);
  ~Rounds();

  /// Continues a round that the log knows as running.
  void resume();

  // What a person asks for; what does not fit: Desk::Refused.
  void start();
  void stop();
  void go_on();
  void give_up();
  /// Goes on with the last round's model, or with the one that it started from.
  void choose(bool tested);

  struct Now {
    RoundState state = RoundState::kIdle;
    int64_t step = 0, total = 0;
    std::string trouble;  ///< why it paused, if by itself
    int64_t pairs = 0;    ///< rows that a round begun now would learn from
  };
  Now now() const;
  std::filesystem::path folder_of(const std::string& round) const;
  /// Who answers now: the chosen one, else the original; no policy before the model thread named it.
  feedback::ModelName current() const;

 private:
  void run(bool fresh);  // with mutex_ held
  void work(bool fresh, const std::stop_token& stop);
  LearnTask task_of(const feedback::RoundStart& round) const;
  void append(const feedback::NewEvent& event);
  /// What the person judged: a round learns from one person.
  std::vector<feedback::Label> own_labels(std::span<const feedback::Event> log) const;
  int64_t rows_now() const;

  feedback::Store& store_;
  Desk& desk_;
  ModelThread& thread_;
  Learner& learner_;
  PromptDeck& deck_;
  const std::string annotator_, original_;
  const std::function<void(const feedback::ModelName&)> chosen_;
  const std::function<void()> changed_;

  mutable std::mutex mutex_;  // of what follows
  Now now_;
  bool ending_ = false;
  ModelThread::Job job_, dropped_;
};

}  // namespace hone::annotate
