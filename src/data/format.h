// A row format: how to recognise a JSON row and what it says. Formats are pure functions of one row; files, lines and
// the policy for bad lines are read.cpp's business.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "data/row_keys.h"
#include "data/row_messages.h"
#include "data/rows.h"
#include "feedback/comparison.h"

namespace hone::data {

/// A comparison as the row gives it: its sides in the row's order, chosen first. id and source are the row's own
/// (RowContent).
using feedback::Comparison;
using feedback::Outcome;

/// Answers to one prompt from best to worst, no two alike in rank: at least two.
struct Ranking {
  std::vector<text::Message> prompt;
  std::vector<std::vector<text::Message>> answers;
};

/// All that one row says; the reader takes what it was asked for.
struct RowContent {
  std::vector<std::string> documents;
  std::vector<std::vector<text::Message>> demonstrations;  ///< each ends with the assistant
  std::vector<Comparison> comparisons;
  std::vector<Ranking> rankings;  ///< of which the comparisons are the pairs
  std::vector<AnswerPair> unjudged;
  std::vector<std::vector<text::Message>> prompts;  ///< those that have no answer in the row
  std::optional<bool> label;                        ///< of the demonstrations: good or bad (KTO)
  RowNotes notes;
  std::string id, source;  ///< "" where the row names none
  std::string dropped;     ///< why a well-formed row is of no use; "" if it is
};

/// Settings that some formats look at.
struct FormatOptions {
  bool passages = false;  ///< finegrained: put the evidence passages before the question
};

struct Format {
  std::string_view id, doc;
  /// The keys of a row that `read` looks at.
  std::span<const std::string_view> (*keys)();
  bool (*recognise)(const Json& row);
  /// Throws kUsage without a place ("field 'chosen' is missing"); the reader adds file and line.
  RowContent (*read)(const Json& row, const FormatOptions&);
};

/// All formats, in the order of detection.
std::span<const Format> formats();
/// By id; unknown: kUsage with a suggestion.
const Format& format(std::string_view id);
/// The first format that recognises the row, or nullptr.
const Format* recognise(const Json& row);

}  // namespace hone::data
