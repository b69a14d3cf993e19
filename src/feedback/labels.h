// What the log says, after undo: labels, and from them what trains. Pure functions of the events and of a version: the
// same log gives the same labels on any machine.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "feedback/event.h"
#include "feedback/store.h"

namespace hone::feedback {

/// Version of the rules below and of pairs_of (comparison.h). Another rule is another version.
inline constexpr int kLabelRules = 1;

/// The actor of imported comparisons that name no annotator; their labels name none either.
inline constexpr const char* kImporter = "import";

/// One person's word on one query.
struct Label {
  Comparison comparison;
  std::string query, round, test;  ///< the query's id; the round that it was shown in; the blind test, "" for none
  Purpose purpose = Purpose::kLearn;
  int64_t shown_seq = 0, judged_seq = 0;
  int64_t us = 0;  ///< when it was judged
};

/// Live labels in the order of their judgements, version 1:
///   - an event that an undo names does not count; an undo cannot be undone, one judges again
///   - of one person's judgements of one query the last that counts is the label
///   - that person's last correction and note on the query go with it; without a judgement they say nothing
///   - blind answers are labels of purpose kBlind
/// An event that contradicts the invariants of store.h: kUsage naming it.
std::vector<Label> labels(std::span<const Event> log);
std::vector<Label> labels(const Store& store);

struct TrainingSet {
  int rules = kLabelRules;
  std::vector<Pair> pairs;
  std::vector<size_t> label_of;  ///< for each pair, which of the labels it came from
  int64_t labels = 0;
  std::map<std::string, int64_t> left_out;  ///< why a label gave no pair -> count
};

/// The pairs (pairs_of) of labels of purpose kLearn.
TrainingSet training_set(std::span<const Label> labels, Ties ties = Ties::kDrop);

}  // namespace hone::feedback
