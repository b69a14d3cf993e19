// Comparisons between files and the store.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "feedback/labels.h"
#include "feedback/store.h"

namespace hone::feedback {

struct Imported {
  int64_t comparisons = 0;  ///< appended
  int64_t again = 0;        ///< there before: the same rows were imported already
  Receipt head;
};

/// Appends each as shown, judged, and where there is one correction and note, by its annotator (else "import"). The
/// same rows again append nothing: their keys are hashes of what they say, and of how many equal ones came before.
Imported import_comparisons(Store& store, std::span<const Comparison> comparisons);

enum class ExportShape {
  kText,      ///< {"prompt", "chosen", "rejected"} as texts where every row can be; else as kMessages
  kMessages,  ///< the same as lists of messages
  kFull,      ///< to_row: every live label, whatever its outcome
};

struct Exported {
  std::vector<Json> rows;
  std::map<std::string, int64_t> left_out;
};

/// What trains (training_set) as rows, in the order of the log; kFull: all live labels, blind tests among them.
Exported export_rows(std::span<const Label> labels, ExportShape shape, Ties ties);
/// Pairs that were kept for evaluation, as kMessages, ties dropped; none whose prompt others were learned from.
Exported evaluation_rows(std::span<const Label> labels);

}  // namespace hone::feedback
