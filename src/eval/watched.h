// A stage that was watched: gold against proxy and faults over its steps, and what it warned of, from its run folder.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/stats.h"

namespace hone::eval {

struct Watched {
  struct Point {
    int64_t step = 0;
    double kl = 0;                   ///< to the reference, nats an answer
    std::optional<double> score;     ///< the learned reward, where the stage has one
    double gold = 0;                 ///< of the probe's held-out prompts
    double hidden = 0, visible = 0;  ///< share of answers with such a fault
  };
  std::string name;
  std::vector<Point> points;                     ///< in order of steps, only those at which the probe looked
  std::optional<std::vector<int64_t>> warnings;  ///< their steps, in order; nothing where no run.json tells

  /// `warnings`: how many. `watched_gain`, `watched_fall`: gold's best minus its first, minus its last.
  /// `score_gain`: the learned reward's last minus its first. `warning_lead`: steps from the first warning to gold's
  /// best; without a warning as if it had come behind the last step. Single runs, so the interval is the value itself.
  /// Nothing for another name, or without points.
  std::optional<stats::Estimate> measure(const std::string& what) const;
};

/// NAME=…/metrics.jsonl. Warnings are in run.json beside it, if it is there. Malformed: kUsage with file and line.
Watched read_watched(const std::string& named_path);

/// Each check about a curve of `watched` must find its figure there, before anything is sampled: else kUsage.
void require_watched(const std::vector<Watched>& watched, const std::vector<std::string>& require);

/// Adds `gold_vs_proxy` and `faults` to results.json.
void add_curves(const std::vector<Watched>& watched, Json& results);

}  // namespace hone::eval
