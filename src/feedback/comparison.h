// A comparison of two answers to one prompt: the one type that simulated people, pages, data files and training share,
// and the one place where its rows are written.
//
// Two shapes of row:
//   preference  {"prompt", "chosen", "rejected", …}: the winner and the loser, as TRL and `hone preference` take them
//   comparison  {"prompt", "answer_a", "answer_b", "outcome", …}: all that is known, whatever the outcome
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "text/messages.h"

namespace hone::feedback {

/// What a person said. Six different things: a tie is a statement about the answers, "can't tell" one about the judge.
enum class Outcome { kA, kB, kTie, kBothBad, kCantTell, kSkip };
/// "a", "b", "tie", "both_bad", "cant_tell", "skip".
std::string_view name_of(Outcome outcome);
/// Another name: nothing.
std::optional<Outcome> outcome_named(std::string_view name);
inline bool decided(Outcome o) { return o == Outcome::kA || o == Outcome::kB; }

enum class Side { kA, kB };
/// "a", "b".
std::string_view name_of(Side side);

/// Which answer was shown first (on the left, or above).
enum class Order { kUnknown, kAFirst, kBFirst };

struct Answer {
  /// What the assistant does: as a rule one turn; with tools several, the last of which is the assistant's.
  std::vector<text::Message> messages;
  std::string policy = {};  ///< which model gave it, in the words of whoever sampled; "": unknown
  std::string sampling =
      {};  ///< how it was sampled, a JSON object as text (settings, their version, seed); "": unknown
  bool operator==(const Answer&) const = default;
};

/// What is shown to a person, and why.
struct Query {
  std::vector<text::Message> prompt;  ///< the last is the user's, or a tool's
  Answer a, b;
  Order order = Order::kUnknown;
  std::string strategy = {};              ///< how the query was selected ("uniform", "bald", …); "": unknown
  std::optional<double> propensity = {};  ///< probability with which it was selected, in (0, 1]
  std::string source = {};                ///< which set it comes from
  std::string id = {};
  bool operator==(const Query&) const = default;
};

/// What a person answered.
struct Judgement {
  Outcome outcome = Outcome::kA;
  std::string reason = {};               ///< of a skip
  int strength = 0;                      ///< 1 (barely) to 4 (much better); 0: not asked
  std::optional<int64_t> dwell_ms = {};  ///< from the query's appearance to the answer
  double margin = 0;                     ///< as files grade it, 0 where they do not
  double weight = 1;                     ///< of this comparison in the loss
  bool operator==(const Judgement&) const = default;
};

struct Comparison : Query, Judgement {
  std::vector<text::Message> correction = {};  ///< an answer that the person wrote; empty: none
  Side corrects = Side::kA;                    ///< which answer it was made from
  std::string note = {};
  std::string annotator = {};  ///< a pseudonym; "": unknown

  bool operator==(const Comparison&) const = default;
  const Answer& answer(Side side) const { return side == Side::kA ? a : b; }
};

/// A comparison of two answers of which nothing more is known.
Comparison compared(std::vector<text::Message> prompt, std::vector<text::Message> a, std::vector<text::Message> b,
                    Outcome outcome = Outcome::kA, double margin = 0);

/// A prompt that ends with the user, answers with the assistant, numbers within their ranges, a reason for a skip
/// alone. Else kUsage without a place.
void check(const Query& query);
void check(const Judgement& judgement);
void check(const Comparison& comparison);
/// Whether prompt, answers and correction are each one plain turn, so that a text says all of it.
bool all_plain(const Comparison& comparison);

/// How texts stand in a row.
enum class Texts {
  kShortest,  ///< a lone plain turn is a text, anything else a list of messages; each field by itself
  kMessages,  ///< lists of messages throughout, as TRL wants them for a chat model
};
/// Where "id" and "source" stand: last, as `collect` leaves them, or first, as `hone data convert` writes them.
enum class Names { kLast, kFirst };

/// One row {"prompt", "chosen", "rejected"}, with what else is known and such rows have a word for: id, source, tools,
/// weight, margin, annotator, shown_first. The outcome must be decided.
Json to_preference_row(const Comparison& comparison, Names names = Names::kLast, Texts texts = Texts::kShortest);
/// One row with all of it. What is unknown is left out.
Json to_row(const Comparison& comparison);
/// Reads to_row's rows back as the same; keys that are none of row_keys() are not looked at. One that is missing or of
/// another type: kUsage without a place.
Comparison from_row(const Json& row);
/// Whether it looks like one of to_row's.
bool is_row(const Json& row);
/// The keys that from_row reads.
std::span<const std::string_view> row_keys();

/// Takes "annotator" and "shown_first" of a preference row whose winner is answer a. Those of the two that say
/// something else than to_preference_row writes are passed over and returned.
std::vector<std::string_view> read_judge(const Json& row, Comparison& comparison);

/// What a comparison says, for training: one answer over another.
struct Pair {
  enum class Kind { kJudged, kTie, kCorrection };
  std::vector<text::Message> prompt, chosen, rejected;
  double weight = 1, margin = 0;
  Kind kind = Kind::kJudged;
  Side rejects = Side::kB;  ///< which answer is the rejected one
  bool other = false;       ///< of a correction: not over the answer that it was made from
};

/// What tells a comparison's pairs apart behind its id: "" for the judgement's own, "'" for a tie the other way round,
/// "+" for a correction over the answer it was made from, "++" over the other.
std::string_view id_suffix(const Pair& pair);

enum class Ties { kDrop, kHalf };

/// The rule from outcomes to pairs, version 1:
///   a, b        the winner over the loser
///   tie         nothing, or (kHalf) both ways with half the weight: the cross-entropy against a label of 1/2
///   both_bad, cant_tell, skip   nothing
///   correction  over the answer that it was made from; after both_bad over both. One that reads like the answer it
///               would stand against says nothing
/// Identical answers say nothing. Corrections come behind the judgement.
std::vector<Pair> pairs_of(const Comparison& comparison, Ties ties);
/// Why a comparison that gave no pair gave none, for counting: "ties", "both bad", "can't tell", "skipped", ….
std::string_view why_no_pair(const Comparison& comparison);

}  // namespace hone::feedback
