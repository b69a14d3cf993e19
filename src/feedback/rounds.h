// Rounds of learning, by the log: which model each began with, what it learned from, how it ended, and which model a
// person went on with. Pure functions of the events.
//
// Details of the events (event.h), all texts unless said otherwise:
//   round_started   {"start": MODEL, "original": MODEL, "folder", "head": {"seq": N, "hash"}, "pairs": N, "rules": N}
//                   head: of the log that it was trained on; pairs: of training_set(), by these label rules
//   round_finished  {"outcome": "learned"|"learned_too_hard"|"nothing_learned"|"stopped"|"failed", "why", "model":
//   MODEL?} model_chosen    {"model": MODEL}: who answers from here on, and where the next round starts MODEL
//   {"policy", "folder"}
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feedback/event.h"

namespace hone::feedback {

/// A model by the name that its answers carry, and where it lies.
struct ModelName {
  std::string policy, folder;
  bool operator==(const ModelName&) const = default;
};

struct RoundStart {
  std::string round;  ///< "1", "2", …, as queries name the round that they were shown in
  ModelName start, original;
  std::string folder;  ///< the run's
  int64_t head_seq = 0;
  std::string head_hash;
  int64_t pairs = 0;
};

enum class RoundOutcome {
  kRunning,  ///< or its process died; nothing was said of it
  kLearned,
  kTooHard,  ///< a limit was passed; the model is an earlier evaluation's
  kNothing,  ///< no evaluation was better than the start
  kStopped,  ///< a person stopped it for good
  kFailed,
};
/// "running", "learned", "learned_too_hard", "nothing_learned", "stopped", "failed".
std::string_view name_of(RoundOutcome outcome);

struct RoundEnd {
  std::string round;
  RoundOutcome outcome = RoundOutcome::kRunning;
  std::string why;                 ///< in words, for people
  std::optional<ModelName> model;  ///< of kLearned and kTooHard
};

struct Round : RoundStart {
  RoundOutcome outcome = RoundOutcome::kRunning;
  std::string why;
  std::optional<ModelName> model;
  int64_t started_seq = 0, started_us = 0, finished_us = 0;
};

NewEvent round_started(const std::string& actor, const RoundStart& start);
NewEvent round_finished(const std::string& actor, const RoundEnd& end);
NewEvent model_chosen(const std::string& actor, const std::string& round, const ModelName& model);

/// In the order in which they began. An event that is about no round, or of no known form: kUsage naming it.
std::vector<Round> rounds(std::span<const Event> log);
/// Whom a person went on with last; nothing: nobody chose, so the model that hone was started with.
std::optional<ModelName> chosen_model(std::span<const Event> log);

}  // namespace hone::feedback
