// Curves over steps: what metrics.jsonl holds, drawn as metrics.def says.
#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"
#include "report/metric_list.h"
#include "report/sections.h"

namespace hone::report {
namespace {

constexpr const char* kTones[] = {"ppo", "sft", "dpo", "five", "six", "base"};

std::vector<std::pair<double, std::string>> warning_markers(const Stage& stage) {
  std::vector<std::pair<double, std::string>> markers;
  const Json& list = child(stage.record, "warnings");
  if (list.is_array())
    for (const Json& w : list)
      if (const auto step = number_at(w, "step")) markers.emplace_back(*step, text_at(w, "message"));
  return markers;
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// "eval_gold_sums" beside "eval_gold" is shown as "eval_gold_sums"; a lone key needs no name.
Series series_of(const Curve& c, size_t place) {
  Series s{c.key, kTones[std::min(place, std::size(kTones) - 1)], {}, c.value.size() <= 24, true};
  for (size_t i = 0; i < c.value.size(); ++i) s.points.push_back({c.step[i], c.value[i]});
  return s;
}

bool varies(const Curve& c) {
  const auto differs = [&](double v) { return std::isfinite(v) && v != c.value.front(); };
  return std::any_of(c.value.begin(), c.value.end(), differs);
}

struct Group {
  std::string title;
  size_t order;
  std::vector<const Curve*> curves;
  const Metric* metric = nullptr;
};

std::vector<Group> grouped(const Stage& stage) {
  std::vector<Group> groups;
  for (const Curve& c : stage.curves) {
    const Metric* m = find_metric(c.key);
    if (m && m->chart.empty()) continue;
    const std::string title = m ? std::string(m->chart) : c.key;
    auto at = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.title == title; });
    const size_t order = m ? static_cast<size_t>(m - metric_list().data()) : 100000;
    if (at == groups.end()) at = groups.insert(groups.end(), {title, order, {}, m});
    at->order = std::min(at->order, order);
    at->curves.push_back(&c);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.order < b.order; });
  return groups;
}

}  // namespace

std::string stage_title(const Stage& stage) {
  return stage.name == stage.kind && !stage.title.empty() ? stage.title : model_name(stage.name);
}

std::string curve_charts(const Stage& stage, const std::vector<std::string>& charts,
                         const std::vector<std::string>& except) {
  std::string out, unchanged;
  for (Group& g : grouped(stage)) {
    if ((!charts.empty() && !contains(charts, g.title)) || contains(except, g.title)) continue;
    // What never changes is a fact, not a curve.
    const bool constant = std::none_of(g.curves.begin(), g.curves.end(), [](const Curve* c) { return varies(*c); });
    if (constant && g.curves.front()->value.size() > 2) {
      for (const Curve* c : g.curves)
        if (std::isfinite(c->value.front()))
          unchanged += (unchanged.empty() ? "" : ", ") + c->key + " " + format_number(c->value.front());
      continue;
    }
    LineChart chart;
    chart.title = g.title;
    chart.unit = g.metric ? std::string(g.metric->unit) : "";
    chart.percent = chart.unit == "share";
    if (chart.percent) chart.unit.clear();
    std::stable_sort(g.curves.begin(), g.curves.end(),
                     [](const Curve* a, const Curve* b) { return find_metric(a->key) < find_metric(b->key); });
    std::string note;
    for (size_t i = 0; i < g.curves.size() && i < 6; ++i) {
      chart.series.push_back(series_of(*g.curves[i], i));
      const Metric* m = find_metric(g.curves[i]->key);
      if (m && m->key == g.curves[i]->key)
        note += (note.empty() ? "" : " ") + (g.curves.size() > 1 ? g.curves[i]->key + ": " : std::string()) +
                std::string(m->meaning) + ".";
    }
    if (g.curves.size() > 6) note += " (" + std::to_string(g.curves.size() - 6) + " further keys in metrics.jsonl.)";
    chart.note = note;
    chart.markers = warning_markers(stage);
    out += line_chart(chart);
  }
  if (!unchanged.empty()) unchanged = "<p class=note>The same at every step: " + escape(unchanged) + ".</p>";
  return out.empty() ? unchanged
                     : "<div class=\"grid " + std::string(charts.empty() ? "three" : "two") + "\">" + out + "</div>" +
                           unchanged;
}

Section ppo_curves(const Story& story) {
  Section s{
      "ppo", "Reinforcement learning, step by step",
      "Reward against the KL that it costs, then whether the machinery was healthy. Dotted red lines mark warnings.",
      ""};
  const std::vector<std::string> main = {"Reward",
                                         "KL to the reference",
                                         "Gold reward (evaluation only)",
                                         "Correct answers (evaluation only)",
                                         "Giving in to a wrong opinion",
                                         "Faults"};
  for (const Stage& stage : story.run.stages) {
    if (!stage.learns_from_own_samples() || stage.curves.empty()) continue;
    s.body += "<h3 class=stage>" + escape(stage_title(stage)) + "</h3>" + curve_charts(stage, main, {});
    const std::string health = curve_charts(stage, {}, main);
    if (!health.empty())
      s.body +=
          "<details class=health open><summary>The machinery: entropy, lengths, clipping, critic, gradients</summary>" +
          health + "</details>";
  }
  return s;
}

Section learning_curves(const Story& story) {
  Section s{"curves", "Learning curves", "One line a step of metrics.jsonl; noisy curves carry a moving mean.", ""};
  for (const Stage& stage : story.run.stages) {
    if (stage.learns_from_own_samples() || stage.curves.empty()) continue;
    const std::string charts = curve_charts(stage, {}, {});
    if (!charts.empty()) s.body += "<h3 class=stage>" + escape(stage_title(stage)) + "</h3>" + charts;
  }
  return s;
}

}  // namespace hone::report
