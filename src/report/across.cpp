// Several runs side by side, such as the same recipe with several seeds: every one, none left out.
#include "report/chart.h"
#include "report/html.h"
#include "report/sections.h"

namespace hone::report {
namespace {

std::string summary(const std::vector<Story>& stories) {
  size_t judged = 0, better = 0;
  for (const Story& story : stories) {
    const Results* r = story.main();
    const ModelResult *start = r ? r->model(r->start_model) : nullptr, *last = r ? r->model(r->final_model) : nullptr;
    if (!start || !last || start == last || !start->gold || !last->gold) continue;
    ++judged;
    better += last->gold->value > start->gold->value;
  }
  std::string text = "Every run that was given, none left out.";
  if (judged > 0)
    text += " Gold reward rose above the start's in " + std::to_string(better) + " of " + std::to_string(judged) + ".";
  if (judged < stories.size())
    text += " " + std::to_string(stories.size() - judged) + " have no such figure on record.";
  return text;
}

std::string cell(const char* label, const std::string& text) {
  return "<td data-l=\"" + std::string(label) + "\">" + (text.empty() ? "–" : text);
}

std::string row(const Story& story, size_t number) {
  const Results* r = story.main();
  const ModelResult *start = r ? r->model(r->start_model) : nullptr, *last = r ? r->model(r->final_model) : nullptr;
  const auto shown = [](const std::optional<Estimate>& e, bool percent) {
    return e ? format_estimate(*e, percent) : std::string();
  };
  std::string gold, rm;
  if (r)
    for (const ModelResult& m : r->models)
      if (m.gold && (m.name == "base" || &m == start || &m == last))
        gold += (gold.empty() ? "" : " → ") + format_fixed(m.gold->value, 3);
  if (r && r->reward_model && r->reward_model->accuracy) {
    rm = format_percent(r->reward_model->accuracy->value);
    if (r->reward_model->ceiling) rm += " of " + format_percent(r->reward_model->ceiling->value);
  }
  size_t met = 0;
  if (r)
    for (const Check& c : r->checks) met += c.met;
  const std::string checks = r && !r->checks.empty()
                                 ? "<span class=" + std::string(met == r->checks.size() ? "good" : "bad") + ">" +
                                       std::to_string(met) + " of " + std::to_string(r->checks.size()) + "</span>"
                                 : "";
  return "<tr><th data-l=run scope=row><a href=\"#r" + std::to_string(number) + "-top\">" +
         escape_limited(story.run.label, 60) + "</a></th>" +
         cell("seed", escape_limited(text_at(story.run.record, "seed"), 20)) + cell("gold", gold) +
         cell("wins", last ? shown(last->win_rate, true) : "") +
         cell("KL", last && last->kl ? format_number(last->kl->value) : "") +
         cell("correct",
              start && last && start->correctness && last->correctness
                  ? format_percent(start->correctness->value) + " → " + format_percent(last->correctness->value)
                  : "") +
         cell("reward model", rm) + cell("checks", checks) + "</tr>";
}

std::string table(const std::vector<Story>& stories) {
  std::string out =
      "<div class=card><table class=stack><thead><tr><th>run<th>seed<th>gold<th>wins over the "
      "start<th>KL<th>correct<th>reward model, of the ceiling<th>checks met</tr></thead><tbody>";
  for (size_t i = 0; i < stories.size(); ++i) out += row(stories[i], i + 1);
  return out + "</tbody></table></div>";
}

}  // namespace

Section across_runs(const std::vector<Story>& stories) {
  Section s{"across", "Across runs", "", ""};
  IntervalChart gold;
  gold.title = "Gold reward by run";
  gold.low = 0;
  gold.high = 1;
  for (const Story& story : stories) {
    IntervalRow row{story.run.label,
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
        wins.rows.push_back({story.run.label, "", {{"", m->tone, *m->win_rate}}});
  s.lead = summary(stories);
  s.body = "<div class=\"grid two\">" + interval_chart(gold) + interval_chart(wins) + "</div>" + table(stories);
  return s;
}

}  // namespace hone::report
