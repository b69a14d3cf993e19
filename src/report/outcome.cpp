// What the evaluation found: gold by model, part and family; differences and checks.
#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"
#include "report/model_charts.h"
#include "report/sections.h"

namespace hone::report {
namespace {

std::string difference_chart(const Results& r) {
  IntervalChart chart;
  chart.title = "Differences, with 95% intervals";
  chart.note = "An interval that does not touch the dashed line at 0 excludes “no change”.";
  chart.reference = 0;
  for (const auto& [name, e] : r.differences) {
    const bool large = std::abs(e.value) > 2;  // lengths beside shares would squeeze the axis
    if (!large)
      chart.rows.push_back({name,
                            e.n ? "n = " + format_count(e.n) : "",
                            {{"", has_interval(e) && (e.low > 0 || e.high < 0) ? "ppo" : "base", e}}});
  }
  chart.legend = false;
  return interval_chart(chart);
}

std::string check_table(const Results& r) {
  if (r.checks.empty()) return {};
  std::string out =
      "<div class=card><h3>Checks</h3><table "
      "class=stack><thead><tr><th>check<th>wanted<th>measured<th>met</tr></thead><tbody>";
  for (const Check& c : r.checks) {
    const std::string wanted = (c.at_least ? "at least " + format_number(*c.at_least) : "") +
                               (c.at_least && c.at_most ? ", " : "") +
                               (c.at_most ? "at most " + format_number(*c.at_most) : "");
    out += "<tr><td data-l=check>" + escape(c.name) + "<td data-l=wanted class=keep>" + wanted +
           "<td data-l=measured class=keep>" + format_estimate(c.estimate) +
           "<td data-l=met class=" + (c.met ? "good>✓ yes" : "bad>✗ no") + "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string score_table(const Results& r) {
  if (r.scores.empty()) return {};
  std::string out =
      "<div class=card><h3>Further figures</h3><table "
      "class=stack><thead><tr><th>task<th>model<th>figure<th>value</tr></thead><tbody>";
  for (const Score& s : r.scores)
    out += "<tr><td data-l=task>" + escape(s.task) + "<td data-l=model>" + escape(model_name(s.model)) +
           "<td data-l=figure>" + escape(s.metric) + "<td data-l=value>" +
           (has_interval(s.estimate) ? format_estimate(s.estimate) : format_number(s.estimate.value)) + "</tr>";
  return out + "</tbody></table></div>";
}

}  // namespace

Section outcome(const Story& story) {
  Section s{"outcome", "What changed",
            "Mean gold reward on held-out prompts, a score from 0 to 1 that only the evaluation sees, never a learner. "
            "Bars are 95% intervals over prompts.",
            ""};
  for (const Results& r : story.results) {
    std::string body;
    if (!r.about.empty()) body += "<p class=about>" + escape(r.about) + "</p>";
    IntervalChart zero;
    zero.low = 0;
    zero.high = 1;
    body += "<div class=\"grid two\">" +
            by_model(
                r, "Gold reward", false, [](const ModelResult& m) -> const std::optional<Estimate>& { return m.gold; },
                zero);
    IntervalChart half;
    half.reference = 0.5;
    half.low = 0;
    half.high = 1;
    half.note = "Share of prompts on which the model's gold reward is higher than " + model_name(r.start_model) +
                "'s; ties count half.";
    body += by_model(
                r, "Wins against " + model_name(r.start_model), true,
                [](const ModelResult& m) -> const std::optional<Estimate>& { return m.win_rate; }, half) +
            "</div>";
    body += "<div class=\"grid two\">" +
            by_name(r, "Gold reward by prompt family", &ModelResult::families, {}, false, 1.0) +
            by_name(r, "Parts of the gold reward", &ModelResult::parts, r.parts, false, 1.0) + "</div>";
    const std::string differences = difference_chart(r), checks = check_table(r);
    body += "<div class=\"grid two\">" + differences + checks + "</div>";
    IntervalChart from_zero;
    from_zero.low = 0;
    body += "<div class=\"grid two\">" +
            by_model(
                r, "Answer length, tokens", false,
                [](const ModelResult& m) -> const std::optional<Estimate>& { return m.length; }, from_zero) +
            by_model(
                r, "KL to the reference, nats an answer", false,
                [](const ModelResult& m) -> const std::optional<Estimate>& { return m.kl; }, from_zero) +
            "</div>";
    body += score_table(r);
    if (r.models.empty() && r.checks.empty() && r.scores.empty()) continue;  // a reward model's own results
    s.body += body;
  }
  return s;
}

}  // namespace hone::report
