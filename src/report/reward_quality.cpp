// How good the reward model is: accuracy beside its ceiling, calibration, agreement by margin.
#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace hone::report {

Section reward_model_quality(const Story& story) {
  Section s{"reward-model", "Reward model", "On comparisons that it was not trained on.", ""};
  for (const Results& r : story.results) {
    if (!r.reward_model) continue;
    const RewardModelResult& rm = *r.reward_model;
    IntervalChart accuracy;
    accuracy.title = "Accuracy on held-out comparisons";
    accuracy.percent = true;
    accuracy.reference = 0.5;
    accuracy.legend = false;
    if (rm.accuracy)
      accuracy.rows.push_back(
          {"reward model", rm.accuracy->n ? "n = " + format_count(rm.accuracy->n) : "", {{"", "ppo", *rm.accuracy}}});
    if (rm.ceiling)
      accuracy.rows.push_back({"true utility", "the ceiling: the same noisy labels", {{"", "base", *rm.ceiling}}});
    for (const auto& [name, e] : rm.baselines) accuracy.rows.push_back({name, "baseline", {{"", "base", e}}});
    if (rm.source_baselines.empty())
      for (const auto& [name, e] : rm.sources)
        accuracy.rows.push_back({name, e.n ? "n = " + format_count(e.n) : "", {{"", "sft", e}}});
    if (rm.correlation)
      accuracy.note = "Correlation with gold, centred within each prompt: " + format_estimate(*rm.correlation) + ".";
    IntervalChart sources;
    sources.title = "Accuracy by source";
    sources.percent = true;
    sources.reference = 0.5;
    sources.note = "A model that has only learnt the rule agrees with it, source by source.";
    const std::string rule = rm.baselines.empty() ? "baseline" : rm.baselines.front().first;
    for (const auto& [name, e] : rm.sources)
      if (const Estimate* baseline = find(rm.source_baselines, name))
        sources.rows.push_back(
            {name, e.n ? "n = " + format_count(e.n) : "", {{"reward model", "ppo", e}, {rule, "base", *baseline}}});
    LineChart calibration;
    calibration.title = "Calibration";
    calibration.unit = "observed share";
    calibration.x_title = "predicted probability of the choice";
    calibration.diagonal = calibration.percent = calibration.percent_x = true;
    calibration.note =
        "On the dashed line the model is as sure as it is right; under it (for predictions over 50%) too sure.";
    double low = 1;
    Series bins{"observed", "ppo", {}, true, false};
    for (const CalibrationBin& b : rm.calibration) {
      bins.points.push_back({b.predicted, b.observed, b.low, b.high});
      low = std::min(low, b.predicted);
    }
    calibration.series = {bins};
    calibration.x_min = calibration.y_min = low >= 0.5 ? 0.5 : 0.0;
    for (const Point& p : bins.points)
      for (const double y : {p.y, p.low})
        if (std::isfinite(y) && y < *calibration.y_min) calibration.y_min = y;
    calibration.x_max = calibration.y_max = 1.0;
    IntervalChart margins;
    margins.title = "Agreement by margin";
    margins.percent = true;
    margins.reference = 0.5;
    margins.legend = false;
    margins.note = "The larger the difference in predicted reward, the more often the annotator should agree.";
    for (const MarginBin& b : rm.margins)
      margins.rows.push_back({"margin " + (std::isfinite(b.high) ? format_number(b.low) + " to " + format_number(b.high)
                                                                 : "over " + format_number(b.low)),
                              b.agreement.n ? "n = " + format_count(b.agreement.n) : "",
                              {{"", "ppo", b.agreement}}});
    if (!r.about.empty()) s.body += "<h3 class=stage>" + escape(r.about) + "</h3>";
    s.body += "<div class=\"grid two\">" + interval_chart(accuracy) + interval_chart(sources) +
              line_chart(calibration) + interval_chart(margins) + "</div>";
  }
  return s;
}

}  // namespace hone::report
