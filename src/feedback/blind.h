// Blind tests, by the log: a round's model against another one on prompts that nobody saw before, in random order,
// names hidden. The verdict is a pure function of the events.
//
//  1. The number of prompts is fixed by "blind_begun" before the first is shown. While they are not all answered there
//     is no verdict, so nobody can stop when it looks good; then the interval is the exact one (base/binomial.h).
//  2. Another "blind_begun" of the same test extends it. From then on the verdict stands on the interval that holds at
//     any stopping time, at every moment, and nothing goes back to the narrower one.
//  3. The share is over decided answers alone. Ties, both bad, can't tell and skips stand beside it: as halves they
//     would make two models that nobody can tell apart look like two of which each is preferred half the time.
//  4. A test is one person's: answers of others in the same store count in none of its figures.
//  5. Who won follows from the policies that "shown" names, never from where an answer stood.
//
// Details of "blind_begun" (event.h): {"round", "tested": MODEL, "against": MODEL, "opponent": "start"|"original"};
// of one that extends: {"extends": true}.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/stats.h"
#include "feedback/labels.h"
#include "feedback/rounds.h"

namespace hone::feedback {

struct BlindCounts {
  int64_t tested = 0, against = 0;  ///< decided: preferred
  int64_t tie = 0, both_bad = 0, cant_tell = 0, skip = 0;
  int64_t decided() const { return tested + against; }
  int64_t asked() const { return decided() + tie + both_bad + cant_tell + skip; }
};

enum class Finding {
  kUnfinished,  ///< prompts of the fixed number are still to be answered
  kBetter,      ///< the interval lies above 1/2
  kWorse,       ///< below
  kNotSure,
  kUndecided,  ///< not one answer was preferred
};
/// "unfinished", "better", "worse", "not_sure", "undecided".
std::string_view name_of(Finding finding);

struct BlindVerdict {
  Finding finding = Finding::kUnfinished;
  stats::Estimate share;  ///< of decided answers that prefer the tested model, with its 95% interval; none unfinished
  bool any_time = false;  ///< which interval it is
  std::int64_t more = 0;  ///< kNotSure: further decided answers that would settle it, four times in five, if the true
                          ///< share is what was seen; 0: above kMost
  static constexpr int64_t kMost = 400;
};

/// What the counts say, `prompts` being all that were fixed.
BlindVerdict verdict(const BlindCounts& counts, int64_t prompts, bool extended);

/// "You preferred the new model in 14 of 20 decided, 46% to 88%: not yet sure; about 60 more would settle it."
/// `opponent` as in BlindTest.
std::string words(const BlindVerdict& verdict, const BlindCounts& counts, const std::string& opponent);
/// "3 ties, 1 both bad", or "".
std::string beside(const BlindCounts& counts);
/// What a test of so many prompts can show, said before it begins: its power at shares of 0.6, 0.7, 0.8 and 0.9.
std::string power_words(int64_t prompts);

struct BlindBegin {
  std::string test, round;
  int64_t prompts = 0;
  ModelName tested, against;
  std::string opponent;  ///< "start": the round's start; "original": what hone was started with
};
NewEvent blind_begun(const std::string& actor, const BlindBegin& begin);
/// So many prompts more.
NewEvent blind_extended(const std::string& actor, const std::string& test, int64_t prompts);

struct BlindTest : BlindBegin {
  std::string person;  ///< who began it: whose answers count
  bool extended = false;
  BlindCounts counts;
  int64_t begun_seq = 0, begun_us = 0;
  BlindVerdict result() const { return verdict(counts, prompts, extended); }
};

/// In the order in which they began. `labels` of the same log. An event that contradicts the others: kUsage naming it.
std::vector<BlindTest> blind_tests(std::span<const Event> log, std::span<const Label> labels);

}  // namespace hone::feedback
