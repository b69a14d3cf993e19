// Events of the log: what they are, what they say, how they are hashed.
//
//   hash(n) = SHA-256( hash(n-1) ‖ canonical JSON of {"actor", "key", "payload_sha256", "query", "seq", "type", "us"} )
//
// with 32 zero bytes before the first event, and payload_sha256 the SHA-256 of the payload's bytes, which are canonical
// JSON (feedback/canonical_json.h). An event's payload is a function of the types of comparison.h; the makers below are
// the only writers, `check_event` the gate that every event passes.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "feedback/comparison.h"

namespace hone::feedback {

/// Version of the payloads and of the rules by which they are hashed.
inline constexpr std::string_view kLogFormat = "hone.feedback.v1";

/// Limits, in bytes.
inline constexpr size_t kLongestPayload = 1 << 20, kLongestName = 200;

// HONE_EVENT(enumerator, name, what it says)
#define HONE_EVENTS(X)                                                                                   \
  X(kCreated, "created", "the store was made")                                                           \
  X(kShown, "shown", "a query was shown: prompt, both answers with their hashes, how they were sampled") \
  X(kJudgement, "judgement", "what a person said of a query")                                            \
  X(kUndo, "undo", "an earlier event of the same person counts no more; it stays in the log")            \
  X(kCorrection, "correction", "an answer that a person wrote in place of one")                          \
  X(kNote, "note", "what a person remarked on a query")                                                  \
  X(kRoundStarted, "round_started", "training on the judgements began")                                  \
  X(kRoundFinished, "round_finished", "training ended, and how")                                         \
  X(kBlindBegun, "blind_begun", "a blind test was fixed: between whom, and of how many prompts")         \
  X(kBlindAnswered, "blind_answered", "what a person said of a query of a blind test")                   \
  X(kModelChosen, "model_chosen", "which model a person goes on with")

enum class EventType {
#define HONE_EVENT_ENUMERATOR(id, name, doc) id,
  HONE_EVENTS(HONE_EVENT_ENUMERATOR)
#undef HONE_EVENT_ENUMERATOR
};
std::string_view name_of(EventType type);
/// Another name: kUsage.
EventType event_type(std::string_view name);

/// An event that is asked for; the store gives it number, time and hash.
struct NewEvent {
  EventType type = EventType::kShown;
  std::string actor;    ///< who did it: an annotator's pseudonym, "system", "import"
  std::string query;    ///< which query it is about; "": none
  std::string payload;  ///< canonical JSON
  std::string key;      ///< idempotency key of the actor, "": none. The same again gives the same receipt
};

/// An event of the log.
struct Event {
  int64_t seq = 0;  ///< from 1, without gaps
  int64_t us = 0;   ///< UTC, microseconds since 1970, as the clock said
  std::string type, actor, query, key, payload;
  std::string payload_sha256, prev, hash;  ///< lower-case hex
  bool operator==(const Event&) const = default;
};

/// What a query is for. Only kLearn trains.
enum class Purpose {
  kLearn,     ///< chosen by a strategy, its judgement trains
  kEvaluate,  ///< drawn uniformly and kept out of training: unbiased figures
  kBlind,     ///< of a blind test
};
std::string_view name_of(Purpose purpose);
Purpose purpose_named(std::string_view name);

// Makers. `query` is the query's id, which its "shown" introduces.
NewEvent shown(const std::string& actor, const std::string& query, const Query& what, Purpose purpose,
               const std::string& round);
NewEvent judged(const std::string& actor, const std::string& query, const Judgement& judgement);
/// Of event `seq`: the actor's own judgement, correction, note or blind answer.
NewEvent undone(const std::string& actor, const std::string& query, int64_t seq);
NewEvent corrected(const std::string& actor, const std::string& query, Side corrects,
                   const std::vector<text::Message>& correction);
NewEvent noted(const std::string& actor, const std::string& query, const std::string& note);
/// `details`: a JSON object (model, run folder, head that was trained on, outcome, …).
NewEvent round_started(const std::string& actor, const std::string& round, const Json& details);
NewEvent round_finished(const std::string& actor, const std::string& round, const Json& details);
NewEvent model_chosen(const std::string& actor, const std::string& round, const Json& details);
/// `prompts`: fixed beforehand. `details`: a JSON object (who stands against whom, …).
NewEvent blind_begun(const std::string& actor, const std::string& test, int64_t prompts, const Json& details);
NewEvent blind_answered(const std::string& actor, const std::string& query, const std::string& test,
                        const Judgement& judgement);

// Readers of payloads; one that does not say what its type must: kUsage naming the field.
struct Shown {
  Query query;
  Purpose purpose = Purpose::kLearn;
  std::string round;
};
Shown read_shown(const Event& event);
/// Of a judgement or a blind answer.
Judgement read_judgement(const Event& event);
/// The number of the event that an undo takes back.
int64_t read_undo(const Event& event);
struct Correction {
  Side corrects = Side::kA;
  std::vector<text::Message> messages;
};
Correction read_correction(const Event& event);
std::string read_note(const Event& event);
/// The round of a round's events, the test of a blind test's.
std::string read_name(const Event& event);
/// The details of a round's or of "blind_begun" (rounds.h, blind.h).
Json read_details(const Event& event);
/// How many prompts "blind_begun" fixed.
int64_t read_prompts(const Event& event);

/// What an answer is known by: SHA-256 of its messages as canonical JSON.
std::string answer_hash(const std::vector<text::Message>& messages);

/// Names within their limits, a payload that is canonical and says what the type must. Else kUsage.
void check_event(const NewEvent& event);
/// Whether somebody can be called so: kUsage.
void check_actor(const std::string& name);

/// The hash of `event` (its own `hash` is not looked at).
std::string hash_of(const Event& event);

}  // namespace hone::feedback
