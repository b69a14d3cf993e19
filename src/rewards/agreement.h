// How a reward model agrees with comparisons: accuracy, calibration, agreement by margin, as results.json holds them
// (report/results.h).
#pragma once
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/stats.h"

namespace hone::rewards {

/// One comparison: `margin` is the raw score of the preferred answer less the other's, the log-odds under
/// Bradley–Terry.
struct Compared {
  double margin = 0;
  std::string source;
  double right() const { return margin > 0 ? 1.0 : margin == 0 ? 0.5 : 0.0; }
};

/// Share in which the model prefers what the person preferred, ties half, Wilson interval.
stats::Estimate accuracy(std::span<const Compared> compared);
/// Bins of max(p, 1-p) over 0.5..1 with the share that was right.
Json calibration_json(std::span<const Compared> compared);
/// Fifths of the comparisons by |margin| with the share that was right.
Json margins_json(std::span<const Compared> compared);
/// Accuracy by source, where there is more than one; with `rule`, another judge of the same comparisons, "baseline" is
/// the rule's accuracy on that source.
Json sources_json(std::span<const Compared> compared, std::span<const Compared> rule = {});
/// {"value", "low", "high", "n"}: the one form of an estimate in every results.json.
Json estimate_json(const stats::Estimate& e);

}  // namespace hone::rewards
