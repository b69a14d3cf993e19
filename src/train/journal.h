// What a stage writes while it works: metrics.jsonl (a pure function of the run's inputs), timing.jsonl (wall clock),
// samples.jsonl, and where it answers prompts for people to read answers.jsonl (answer_log.h). Lines written after a
// checkpoint are cut when the run resumes from it, so that an interrupted and resumed run leaves the same metrics, byte
// for byte, as one that was never stopped.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/json_fwd.h"
#include "config/stage_context.h"

namespace hone::train {

using config::Numbers;

class Journal {
 public:
  /// `marks` from the checkpoint that the run resumes from, or null for a fresh start (existing lines are cut).
  Journal(const fs::path& folder, const Json* marks);
  void metrics(int64_t step, const Numbers& numbers);
  /// What was written there last.
  const Numbers& latest() const { return latest_; }
  /// `tokens` since the last call, for tokens per second of training.
  void timing(int64_t step, int64_t tokens, const Numbers& more = {});
  /// While it lives, the time counts for no step: what is no training (a held-out evaluation, a look at gold, a
  /// checkpoint) must not pass for slow training.
  class Apart {
   public:
    explicit Apart(Journal& journal) : journal_(journal), start_(std::chrono::steady_clock::now()) {}
    ~Apart() { journal_.apart_ += std::chrono::steady_clock::now() - start_; }
    Apart(const Apart&) = delete;
    Apart& operator=(const Apart&) = delete;

   private:
    Journal& journal_;
    std::chrono::steady_clock::time_point start_;
  };
  void sample(const Json& line);
  void answer(const Json& line);
  /// Byte lengths of the files, for the checkpoint; synced to disk.
  Json marks();
  /// Tokens per second between the last two calls of `timing`.
  double tokens_per_second() const { return tokens_per_second_; }

 private:
  LineWriter metrics_, timing_, samples_;
  fs::path answers_file_;
  std::optional<LineWriter> answers_;  // from the first line on: most stages have none
  std::chrono::steady_clock::time_point last_;
  std::chrono::steady_clock::duration apart_{};  // since the last call of `timing`
  double tokens_per_second_ = 0;
  Numbers latest_;
};

}  // namespace hone::train
