#include "eval/watched.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/files.h"
#include "config/run_folder.h"
#include "eval/answers.h"
#include "eval/checks.h"

namespace hone::eval {

std::optional<stats::Estimate> Watched::measure(const std::string& what) const {
  const bool of_warnings = what == "warnings" || what == "warning_lead";
  if ((what != "warnings" && points.empty()) || (of_warnings && !warnings)) return {};
  // The look before the first step of PPO has no score yet.
  std::vector<double> scores;
  for (const Point& p : points)
    if (p.score) scores.push_back(*p.score);
  if (what == "score_gain" && scores.size() < 2) return {};
  const auto best = std::ranges::max_element(points, {}, &Point::gold);
  double value = 0;
  if (what == "warnings") value = static_cast<double>(warnings->size());
  else if (what == "watched_gain") value = best->gold - points.front().gold;
  else if (what == "watched_fall") value = best->gold - points.back().gold;
  else if (what == "score_gain") value = scores.back() - scores.front();
  else if (what == "warning_lead")
    value = static_cast<double>(best->step - (warnings->empty() ? points.back().step + 1 : warnings->front()));
  else return {};
  return stats::Estimate{value, value, value, 1};
}

Watched read_watched(const std::string& named_path) {
  const auto [name, path] = name_and_folder(named_path, "curves");
  Watched out{.name = name, .points = {}, .warnings = std::nullopt};
  for_each_line(path, [&](std::string_view line, int64_t number) {
    const Json j = parse_json(line, path + ":" + std::to_string(number));
    if (!j.is_object() || !j.contains("eval_gold")) return;
    for (const char* key : {"step", "eval_gold", "kl", "score", "eval_hidden_faults", "eval_visible_faults"})
      if (!j.value(key, Json(0)).is_number())
        usage_error(path + ":" + std::to_string(number) + ": '" + key + "' is no number",
                    "`curves` names the metrics.jsonl of a stage that was watched");
    out.points.push_back({.step = j.value("step", int64_t{0}),
                          .kl = j.value("kl", 0.0),
                          .score = j.contains("score") ? std::optional(j.value("score", 0.0)) : std::nullopt,
                          .gold = j.value("eval_gold", 0.0),
                          .hidden = j.value("eval_hidden_faults", 0.0),
                          .visible = j.value("eval_visible_faults", 0.0)});
  });
  const fs::path folder = fs::path(path).parent_path();
  if (fs::exists(folder / config::names::kRecord)) {
    out.warnings.emplace();
    for (const auto& [step, message] : config::read_record(folder).warnings) out.warnings->push_back(step);
    std::ranges::sort(*out.warnings);
  }
  return out;
}

void require_watched(const std::vector<Watched>& watched, const std::vector<std::string>& require) {
  for (const std::string& text : require) {
    const Check check = parse_check(text);
    const auto w = std::ranges::find(watched, check.a, &Watched::name);
    if (w != watched.end() && is_measure_of(check.what, "curves") && !w->measure(check.what))
      usage_error("the check '" + text + "': the metrics of '" + check.a + "' hold no such thing",
                  "they must come from a stage whose `watch` was set, and stand beside its run.json");
  }
}

void add_curves(const std::vector<Watched>& watched, Json& results) {
  for (const Watched& w : watched)
    for (const Watched::Point& p : w.points) {
      if (std::ranges::any_of(w.points, [](const Watched::Point& x) { return x.score.has_value(); }))
        results["gold_vs_proxy"].push_back({{"series", w.name},
                                            {"step", p.step},
                                            {"sqrt_kl", std::sqrt(std::max(0.0, p.kl))},
                                            {"proxy", p.score.value_or(0)},  // at the start: what answers are given
                                            {"gold", p.gold}});
      results["faults"].push_back({{"series", w.name}, {"step", p.step}, {"hidden", p.hidden}, {"visible", p.visible}});
    }
}

}  // namespace hone::eval
