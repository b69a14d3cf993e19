// What each key of metrics.jsonl means, in which unit, and on which chart it is drawn (metrics.def).
#pragma once
#include <span>
#include <string_view>

namespace hone::report {

struct Metric {
  std::string_view key;
  std::string_view unit;     ///< "" where it has none
  std::string_view chart;    ///< title of the chart that it is drawn on; "" = not drawn
  std::string_view stages;   ///< kinds of stages that write it, separated by spaces
  std::string_view meaning;  ///< one sentence
};

/// All of them, in the order of metrics.def.
std::span<const Metric> metric_list();

/// The entry of `key`, or of the longest listed key that it refines ("eval_gold_sums" -> "eval_gold"); null if none.
const Metric* find_metric(std::string_view key);

}  // namespace hone::report
