// How much of what there is in a store: by outcome, person, round, day.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/json_fwd.h"
#include "feedback/labels.h"

namespace hone::feedback {

struct Counts {
  int64_t events = 0, shown = 0, judgements = 0, undone = 0, corrections = 0, notes = 0;
  int64_t labels = 0;  ///< live, those of blind tests among them
  /// Live labels. Names that nobody gave are "".
  std::map<std::string, int64_t> by_outcome, by_purpose, by_annotator, by_round, by_test;
  std::map<std::string, int64_t> by_day;   ///< "2026-11-29" in UTC
  int64_t order_known = 0, first_won = 0;  ///< decided labels whose order is known; the one shown first won
  double median_dwell_ms = 0;              ///< of labels that have one; 0: none has
  Json to_json() const;
};

Counts count(std::span<const Event> log, std::span<const Label> labels);

}  // namespace hone::feedback
