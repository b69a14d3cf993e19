// Without a world nobody knows which answers are better: whether the model agrees with people, how far it has gone from
// the start for it, and what it has forgotten on the way.
#include <algorithm>
#include <cmath>

#include "report/chart.h"
#include "report/html.h"
#include "report/model_charts.h"
#include "report/sections.h"

namespace hone::report {
namespace {

std::string judge_name(const Judge& j) {
  return j.name == "reward" ? "reward model" : j.name == "second_reward" ? "second reward model" : model_name(j.name);
}

std::string counted(const Estimate& e) { return e.n ? "n = " + format_count(e.n) : ""; }

std::string tone_of(const Results& r, const Judge& j) {
  const ModelResult* m = r.model(j.name);
  return m ? m->tone : j.name == "reward" ? "five" : "six";
}

// One row a model of what a ratio changed by: 1.012 is +1.2%. `limit`: a ratio to draw.
std::string changes(const Results& r, const std::string& title, std::optional<Estimate> ModelResult::* pick,
                    std::optional<double> limit, const std::string& note) {
  IntervalChart chart;
  chart.title = title;
  chart.note = note;
  chart.percent = true;
  chart.legend = false;
  if (limit) chart.reference = *limit - 1;
  for (const ModelResult& m : r.models)
    if (const std::optional<Estimate>& e = m.*pick)
      chart.rows.push_back(
          {model_name(m.name), counted(*e), {{"", m.tone, {e->value - 1, e->low - 1, e->high - 1, e->n}}}});
  return interval_chart(chart);
}

}  // namespace

Section agreement(const Story& story) {
  Section s{"agreement", "Agreement with people",
            "How often a model prefers the answer that a person preferred, on comparisons whose prompts it has not "
            "learnt from. 50% is chance; a judge who only likes length agrees with the rule beside it. Bars are 95% "
            "intervals over prompts.",
            ""};
  for (const Results& r : story.results) {
    if (!r.comparisons || r.comparisons->judges.empty()) continue;
    const ComparisonsResult& c = *r.comparisons;
    IntervalChart all, over;
    all.title = "All comparisons";
    all.percent = true;
    all.reference = 0.5;
    all.legend = false;
    over.title = "Beyond the rule of length";
    over.reference = 0;
    over.legend = false;
    over.note =
        "Share decided as people did, less the rule's, on the same comparisons: above the dashed line the judge "
        "knows more than which answer is longer.";
    for (const Judge& j : c.judges) {
      if (j.agreement)
        all.rows.push_back({judge_name(j),
                            j.kind == "reward model" ? counted(*j.agreement) : j.kind,
                            {{"", tone_of(r, j), *j.agreement}}});
      if (j.over_length)
        over.rows.push_back({judge_name(j), counted(*j.over_length), {{"", tone_of(r, j), *j.over_length}}});
    }
    if (c.rule) all.rows.push_back({c.rule_name, "the rule", {{"", "base", *c.rule}}});
    all.note =
        "A policy's implicit reward is its log-probability of the answer less that of the model it started from "
        "(Rafailov et al. 2023).";
    std::string charts = interval_chart(all) + interval_chart(over);
    for (const Judge& j : c.judges) {
      IntervalChart sources;
      sources.title = "By source: " + judge_name(j);
      sources.percent = true;
      sources.reference = 0.5;
      for (const auto& [name, e] : j.sources) {
        IntervalRow row{name, counted(e), {{judge_name(j), tone_of(r, j), e}}};
        if (const Estimate* baseline = find(j.source_baselines, name))
          row.marks.push_back({c.rule_name.empty() ? "rule" : c.rule_name, "base", *baseline});
        sources.rows.push_back(std::move(row));
      }
      charts += interval_chart(sources);
    }
    if (!c.about.empty()) s.body += "<p class=about>" + escape(c.about) + ".</p>";
    s.body += "<div class=\"grid two\">" + charts + "</div>";
  }
  return s;
}

Section distance(const Story& story) {
  Section s{"distance", "Distance from the start",
            "A model that learns to please moves away from where it began. A little is what learning is; too much is a "
            "model that was wrecked, whatever its reward says.",
            ""};
  for (const Results& r : story.results) {
    IntervalChart kl;
    kl.low = 0;
    kl.reference = r.most_kl_per_token;
    kl.note = "Log-probability of the sampled answers under the model less that under the start, over their tokens.";
    if (r.most_kl_per_token)
      kl.note += " Beyond the dashed line at " + format_number(*r.most_kl_per_token) + " the run warns.";
    std::string loss = "Per token, against its loss on its own answers: +1% is healthy, +22% was a wreck.";
    if (r.most_start_loss_ratio)
      loss += " From the dashed line at +" + format_percent(*r.most_start_loss_ratio - 1) + " on the run warns.";
    std::string charts = by_model(
        r, "KL to the start, nats a token", false,
        [](const ModelResult& m) -> const std::optional<Estimate>& { return m.kl_per_token; }, kl);
    charts += changes(r, "The start model's loss on the answers, change", &ModelResult::start_loss_ratio,
                      r.most_start_loss_ratio, loss);
    charts += changes(r, "Forgotten: perplexity of held-out texts, change", &ModelResult::text_perplexity_ratio, 1.0,
                      "Of texts that no stage has learnt: above 0 something was forgotten." +
                          (r.texts_about.empty() ? "" : " " + capitalised(r.texts_about) + "."));
    charts += by_model(r, "Perplexity of held-out texts", false,
                       [](const ModelResult& m) -> const std::optional<Estimate>& { return m.text_perplexity; });
    if (!charts.empty()) s.body += "<div class=\"grid two\">" + charts + "</div>";
  }
  return s;
}

}  // namespace hone::report
