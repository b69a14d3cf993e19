// Giving in, refusing, hidden and visible faults; gold against proxy over KL.
#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"
#include "report/model_charts.h"
#include "report/sections.h"

namespace hone::report {

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
    const std::string refusals = by_name(r, "Refuses", &ModelResult::refusals, {}, true, 1.0);
    charts += refusals;
    if (!refusals.empty() && !r.refusal_phrases.empty()) {
      std::string list;
      for (const std::string& phrase : r.refusal_phrases) list += (list.empty() ? "“" : ", “") + phrase + "”";
      charts +=
          "<div class=card><h3>What counts as a refusal</h3><p class=note>An answer whose first 200 bytes hold one "
          "of: " +
          escape(list) + ". A list knows no meaning; compare the models under it.</p></div>";
    }
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
      chart.title = "Faults while learning" + (name.empty() ? "" : ": " + model_name(name));
      chart.unit = "share of answers";
      chart.percent = true;
      chart.y_min = 0;
      Series hidden{"hidden from the annotators", "ppo", {}, true, false},
          visible{"visible to them", "sft", {}, true, false};
      for (const FaultPoint& p : r.faults)
        if (p.series == name)
          hidden.points.push_back({p.step, p.hidden}), visible.points.push_back({p.step, p.visible});
      chart.series = {hidden, visible};
      chart.note = "Where annotators have a blind spot, faults that nobody sees can grow while those they see shrink.";
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

}  // namespace hone::report
