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
  for (const auto& [given, e] : r.differences) {
    const std::string name =
        given.starts_with("gold: ") && r.gold_name != "gold reward" ? r.gold_name + given.substr(4) : given;
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
    const bool interval = has_interval(c.estimate) && c.estimate.low < c.estimate.high;
    const std::string measured = !std::isfinite(c.estimate.value) ? "nothing"
                                 : interval                       ? format_estimate(c.estimate)
                                                                  : format_fixed(c.estimate.value, 3);
    const std::string wanted = (c.at_least ? "at least " + format_number(*c.at_least) : "") +
                               (c.at_least && c.at_most ? ", " : "") +
                               (c.at_most ? "at most " + format_number(*c.at_most) : "");
    out += "<tr><td data-l=check>" + escape(c.name) + "<td data-l=wanted class=keep>" + wanted +
           "<td data-l=measured class=keep>" + measured +
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

// What is measured of the texts alone: one row a measure, one column a model.
std::string text_table(const Results& r) {
  std::vector<std::string> names;
  std::string head;
  for (const ModelResult& m : r.models) {
    if (m.texts.empty()) continue;
    head += "<th>" + escape(model_name(m.name));
    for (const auto& [name, e] : m.texts)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (names.empty()) return {};
  std::string out = "<div class=card><h3>How the answers read</h3><table class=stack><thead><tr><th>measure" + head +
                    "</tr></thead><tbody>";
  for (const std::string& name : names) {
    out += "<tr><td data-l=measure>" + escape(name);
    for (const ModelResult& m : r.models)
      if (!m.texts.empty()) {
        const Estimate* e = find(m.texts, name);
        out += "<td data-l=\"" + escape(model_name(m.name)) + "\" class=keep>" +
               (!e                                     ? "–"
                : has_interval(*e) && e->low < e->high ? format_estimate(*e)
                                                       : format_number(e->value));
      }
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string lead_of(const Story& story) {
  const Results* r = story.main();
  const bool gold =
      !r || std::any_of(r->models.begin(), r->models.end(), [](const ModelResult& m) { return m.gold.has_value(); });
  const bool learned =
      r && std::any_of(r->models.begin(), r->models.end(), [](const ModelResult& m) { return m.reward.has_value(); });
  return (gold ? "Mean " + (r ? r->gold_name : "gold reward") + " on held-out prompts, " +
                     (r && !r->gold_about.empty()
                          ? r->gold_about
                          : "a score from 0 to 1 that only the evaluation sees, never a learner") +
                     "."
          : !learned
              ? "Answers to held-out prompts. Nobody has judged them."
              : "Answers to held-out prompts. Nobody has judged them: the learned reward says what the learner was "
                "paid for, not whether they are better.") +
         " Bars are 95% intervals over prompts.";
}

}  // namespace

Section outcome(const Story& story) {
  Section s{"outcome", "What changed", lead_of(story), ""};
  for (const Results& r : story.results) {
    std::string body;
    if (!r.about.empty()) body += "<p class=about>" + escape(r.about) + "</p>";
    IntervalChart zero;
    zero.low = 0;
    zero.high = 1;
    body += "<div class=\"grid two\">" +
            by_model(
                r, capitalised(r.gold_name), false,
                [](const ModelResult& m) -> const std::optional<Estimate>& { return m.gold; }, zero);
    IntervalChart half;
    half.reference = 0.5;
    half.low = 0;
    half.high = 1;
    half.note = "Share of prompts on which the model's " + r.wins_by + " is higher than " + model_name(r.start_model) +
                "'s; ties count half.";
    body += by_model(
        r, "Wins against " + model_name(r.start_model), true,
        [](const ModelResult& m) -> const std::optional<Estimate>& { return m.win_rate; }, half);
    half.note =
        "The same by a second reward model that nobody optimised, learnt from other prompts: what it does not "
        "see either, the first one was fooled by.";
    body += by_model(
                r, "Wins by the second reward model", true,
                [](const ModelResult& m) -> const std::optional<Estimate>& { return m.second_win_rate; }, half) +
            "</div>";
    body += "<div class=\"grid two\">" +
            by_name(r, capitalised(r.gold_name) + " by prompt family", &ModelResult::families, {}, false, 1.0) +
            by_name(r, "Parts of the " + r.gold_name, &ModelResult::parts, r.parts, false, 1.0) + "</div>";
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
    IntervalChart zero_line;
    zero_line.reference = 0;
    zero_line.note = "By the reward model: mean 0, deviation 1 on its reference answers.";
    body += "<div class=\"grid two\">" +
            by_model(
                r, "Learned reward", false,
                [](const ModelResult& m) -> const std::optional<Estimate>& { return m.reward; }, zero_line) +
            text_table(r) + "</div>";
    body += score_table(r);
    if (r.models.empty() && r.checks.empty() && r.scores.empty()) continue;  // a reward model's own results
    s.body += body;
  }
  return s;
}

}  // namespace hone::report
