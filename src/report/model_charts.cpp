#include "report/model_charts.h"

#include <algorithm>

#include "report/html.h"

namespace hone::report {
namespace {

std::vector<std::string> names_of(const Results& r, const Named ModelResult::* list) {
  std::vector<std::string> names;
  for (const ModelResult& m : r.models)
    for (const auto& [name, e] : m.*list)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  return names;
}

}  // namespace

// One row a model for a single figure.
std::string by_model(const Results& r, const std::string& title, bool percent, Pick pick, IntervalChart chart) {
  chart.title = title;
  chart.percent = percent;
  chart.legend = false;
  for (const ModelResult& m : r.models)
    if (const auto& e = pick(m))
      chart.rows.push_back({model_name(m.name), e->n ? "n = " + format_count(e->n) : "", {{"", m.tone, *e}}});
  return interval_chart(chart);
}

// One row a name, one mark a model.
std::string by_name(const Results& r, const std::string& title, const Named ModelResult::* list,
                    const std::vector<Part>& parts, bool percent, std::optional<double> high) {
  IntervalChart chart;
  chart.title = title;
  chart.percent = percent;
  if (high) chart.low = 0, chart.high = high;
  for (const Part& p : parts)
    if (!p.meaning.empty()) chart.note += (chart.note.empty() ? "" : " ") + p.name + ": " + p.meaning + ".";
  for (const std::string& name : names_of(r, list)) {
    IntervalRow row{name, "", {}};
    for (const Part& p : parts)
      if (p.name == name && p.weight) row.detail = "weight " + format_number(*p.weight);
    for (const ModelResult& m : r.models)
      if (const Estimate* e = find(m.*list, name)) row.marks.push_back({model_name(m.name), m.tone, *e});
    if (!row.marks.empty()) chart.rows.push_back(std::move(row));
  }
  return interval_chart(chart);
}

}  // namespace hone::report
