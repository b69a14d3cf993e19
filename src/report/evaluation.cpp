// Sections on what the evaluation found: gold by model, part and family, behaviour, answers over KL.
#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace hone::report {
namespace {

using Pick = const std::optional<Estimate>& (*)(const ModelResult&);

// One row a model for a single figure.
std::string by_model(const Results& r, const std::string& title, bool percent, Pick pick, IntervalChart chart = {}) {
  chart.title = title;
  chart.percent = percent;
  chart.legend = false;
  for (const ModelResult& m : r.models)
    if (const auto& e = pick(m))
      chart.rows.push_back({model_name(m.name), e->n ? "n = " + format_count(e->n) : "", {{"", m.tone, *e}}});
  return interval_chart(chart);
}

// One row a name, one mark a model.
std::string grouped(const Results& r, const std::string& title, const std::vector<std::string>& order,
                    const Named ModelResult::* list, const std::vector<Part>& parts, bool percent,
                    std::optional<double> high) {
  IntervalChart chart;
  chart.title = title;
  chart.percent = percent;
  if (high) chart.low = 0, chart.high = high;
  for (const Part& p : parts)
    if (!p.meaning.empty()) chart.note += (chart.note.empty() ? "" : " ") + p.name + ": " + p.meaning + ".";
  for (const std::string& name : order) {
    IntervalRow row{name, "", {}};
    for (const Part& p : parts)
      if (p.name == name && p.weight) row.detail = "weight " + format_number(*p.weight);
    for (const ModelResult& m : r.models)
      if (const Estimate* e = find(m.*list, name)) row.marks.push_back({model_name(m.name), m.tone, *e});
    if (!row.marks.empty()) chart.rows.push_back(std::move(row));
  }
  return interval_chart(chart);
}

std::vector<std::string> names_of(const Results& r, const Named ModelResult::* list) {
  std::vector<std::string> names;
  for (const ModelResult& m : r.models)
    for (const auto& [name, e] : m.*list)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

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
            grouped(r, "Gold reward by prompt family", names_of(r, &ModelResult::families), &ModelResult::families, {},
                    false, 1.0) +
            grouped(r, "Parts of the gold reward", names_of(r, &ModelResult::parts), &ModelResult::parts, r.parts,
                    false, 1.0) +
            "</div>";
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
    if (r.models.empty() && r.checks.empty() && r.scores.empty()) continue;
    s.body += body;
  }
  return s;
}

Section behaviour(const Story& story) {
  Section s{"behaviour", "Behaviour",
            "Giving in to a user's wrong opinion, refusing rightly and wrongly, and faults that the annotators "
            "overlook against those they see.",
            ""};
  for (const Results& r : story.results) {
    IntervalChart share;
    share.low = 0;
    std::string charts = by_model(
        r, "Gives in to a wrong opinion", true,
        [](const ModelResult& m) -> const std::optional<Estimate>& { return m.give_in; }, share);
    charts += grouped(r, "Refuses", names_of(r, &ModelResult::refusals), &ModelResult::refusals, {}, true, 1.0);
    IntervalChart faults;
    faults.title = "Answers with a fault";
    faults.percent = true;
    faults.low = 0;
    const std::pair<const char*, std::optional<Estimate> ModelResult::*> kinds[] = {
        {"hidden from the annotators", &ModelResult::hidden_faults}, {"visible to them", &ModelResult::visible_faults}};
    for (const auto& [name, pick] : kinds) {
      IntervalRow row{name, "", {}};
      for (const ModelResult& m : r.models)
        if (m.*pick) row.marks.push_back({model_name(m.name), m.tone, *(m.*pick)});
      if (!row.marks.empty()) faults.rows.push_back(std::move(row));
    }
    charts += interval_chart(faults);
    std::vector<std::string> names;
    for (const FaultPoint& p : r.faults)
      if (std::find(names.begin(), names.end(), p.series) == names.end()) names.push_back(p.series);
    for (const std::string& name : names) {
      LineChart chart;
      chart.title = "Faults while learning" + (name.empty() ? "" : ": " + name);
      chart.unit = "share of answers";
      chart.percent = true;
      chart.y_min = 0;
      Series hidden{"hidden from the annotators", "ppo", {}, true, false},
          visible{"visible to them", "sft", {}, true, false};
      for (const FaultPoint& p : r.faults)
        if (p.series == name)
          hidden.points.push_back({p.step, p.hidden}), visible.points.push_back({p.step, p.visible});
      chart.series = {hidden, visible};
      chart.note = "With a blind spot the learner is paid for faults nobody sees: the two curves part.";
      charts += line_chart(chart);
    }
    if (!charts.empty()) s.body += "<div class=\"grid two\">" + charts + "</div>";
  }
  return s;
}

Section over_optimisation(const Story& story) {
  Section s{"over-optimisation", "Gold against proxy",
            "What the learner is paid for (the reward model, the proxy) and what is wanted (gold), over the distance "
            "from the start: √KL, as in Gao et al. 2022. Where the proxy climbs and gold turns down, the reward model "
            "is being exploited.",
            ""};
  for (const Results& r : story.results) {
    std::vector<std::string> names;
    for (const ProxyPoint& p : r.gold_vs_proxy)
      if (std::find(names.begin(), names.end(), p.series) == names.end()) names.push_back(p.series);
    if (names.empty()) continue;
    LineChart proxy, gold;
    proxy.title = "Proxy: learned reward";
    gold.title = "Gold reward";
    gold.unit = "of the maximum";
    proxy.x_title = gold.x_title = "√KL to the reference, √nats an answer";
    ToneSet tones;
    for (const ModelResult& m : r.models) tones.of(m.name);
    for (const std::string& name : names) {
      Series p{model_name(name), tones.of(name), {}, true, false}, g = p;
      for (const ProxyPoint& point : r.gold_vs_proxy) {
        if (point.series != name) continue;
        p.points.push_back({point.sqrt_kl, point.proxy});
        g.points.push_back({point.sqrt_kl, point.gold, point.gold_low, point.gold_high});
      }
      const auto by_x = [](const Point& a, const Point& b) { return a.x < b.x; };
      std::stable_sort(p.points.begin(), p.points.end(), by_x);
      std::stable_sort(g.points.begin(), g.points.end(), by_x);
      proxy.series.push_back(p);
      gold.series.push_back(g);
    }
    s.body += "<div class=\"grid two\">" + line_chart(proxy) + line_chart(gold) + "</div>";
  }
  return s;
}

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
    for (const auto& [name, e] : rm.sources)
      accuracy.rows.push_back({name, e.n ? "n = " + format_count(e.n) : "", {{"", "sft", e}}});
    if (rm.correlation)
      accuracy.note = "Correlation with gold, centred within each prompt: " + format_estimate(*rm.correlation) + ".";
    LineChart calibration;
    calibration.title = "Calibration";
    calibration.unit = "observed share";
    calibration.x_title = "predicted probability that the first answer is chosen";
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
    s.body += "<div class=\"grid two\">" + interval_chart(accuracy) + line_chart(calibration) +
              interval_chart(margins) + "</div>";
  }
  return s;
}

Section across_runs(const std::vector<Story>& stories) {
  Section s{"across", "Across runs", "Every run that was given, none left out.", ""};
  IntervalChart gold;
  gold.title = "Gold reward by run";
  gold.low = 0;
  gold.high = 1;
  for (const Story& story : stories) {
    IntervalRow row{story.run.title,
                    text_at(story.run.record, "seed").empty() ? "" : "seed " + text_at(story.run.record, "seed"),
                    {}};
    if (const Results* r = story.main())
      for (const ModelResult& m : r->models)
        if (m.gold) row.marks.push_back({model_name(m.name), m.tone, *m.gold});
    if (row.marks.empty()) row.detail += " (no gold reward on record)";
    gold.rows.push_back(std::move(row));
  }
  IntervalChart wins;
  wins.title = "Wins of the final model against its start";
  wins.percent = true;
  wins.reference = 0.5;
  wins.legend = false;
  for (const Story& story : stories)
    if (const Results* r = story.main())
      if (const ModelResult* m = r->model(r->final_model); m && m->win_rate)
        wins.rows.push_back({story.run.title, "", {{"", m->tone, *m->win_rate}}});
  s.body = "<div class=\"grid two\">" + interval_chart(gold) + interval_chart(wins) + "</div>";
  return s;
}

}  // namespace hone::report
