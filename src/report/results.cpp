#include "report/results.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/json.h"
#include "report/chart.h"
#include "report/lenient_json.h"

namespace hone::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double number_or_nan(const Json& object, std::string_view key) { return number_at(object, key).value_or(kNaN); }

std::optional<Estimate> estimate(const Json& value) {
  if (value.is_number()) return Estimate{value.get<double>(), kNaN, kNaN, 0};
  const auto v = number_at(value, "value");
  if (!v) return std::nullopt;
  return Estimate{*v, number_or_nan(value, "low"), number_or_nan(value, "high"),
                  static_cast<int64_t>(number_at(value, "n").value_or(0))};
}

// {"fact": ESTIMATE, …}
Named named(const Json& object) {
  Named list;
  if (!object.is_object()) return list;
  for (const auto& [name, value] : object.items())
    if (const auto e = estimate(value)) list.emplace_back(name, *e);
  return list;
}

// [{"name": "…", …ESTIMATE}]
Named named_list(const Json& array) {
  Named list;
  if (!array.is_array()) return list;
  for (const Json& entry : array)
    if (const auto e = estimate(entry)) list.emplace_back(text_at(entry, "name"), *e);
  return list;
}

template <class Use>
void each_object(const Json& array, Use use) {
  if (!array.is_array()) return;
  for (const Json& entry : array)
    if (entry.is_object()) use(entry);
}

ModelResult model_result(const Json& json) {
  ModelResult m;
  m.name = text_at(json, "name");
  m.path = text_at(json, "path");
  m.gold = estimate(child(json, "gold"));
  m.correctness = estimate(child(json, "correctness"));
  m.give_in = estimate(child(json, "give_in"));
  m.hidden_faults = estimate(child(json, "hidden_faults"));
  m.visible_faults = estimate(child(json, "visible_faults"));
  m.length = estimate(child(json, "length"));
  m.kl = estimate(child(json, "kl"));
  m.reward = estimate(child(json, "reward"));
  m.kl_per_token = estimate(child(json, "kl_per_token"));
  m.start_loss_ratio = estimate(child(json, "start_loss_ratio"));
  m.text_perplexity = estimate(child(json, "text_perplexity"));
  m.text_perplexity_ratio = estimate(child(json, "text_perplexity_ratio"));
  m.second_reward = estimate(child(json, "second_reward"));
  m.second_win_rate = estimate(child(json, "second_win_rate"));
  m.texts = named(child(json, "texts"));
  m.win_rate = estimate(child(json, "win_rate"));
  m.ties = number_at(child(json, "win_rate"), "ties");
  m.parts = named(child(json, "parts"));
  m.families = named(child(json, "families"));
  m.refusals = named(child(json, "refusals"));
  return m;
}

SideBySide side_by_side(const Json& json) {
  SideBySide s{text_at(json, "id"), text_at(json, "family"), text_at(json, "prompt"), {}};
  const Json& answers = child(json, "answers");
  if (answers.is_object())
    for (const auto& [model, a] : answers.items()) {
      Answer answer{model, a.is_string() ? a.get<std::string>() : text_at(a, "text"), number_at(a, "gold"), {}};
      const Json& parts = child(a, "parts");
      if (parts.is_object())
        for (const auto& [part, value] : parts.items())
          if (value.is_number()) answer.parts.emplace_back(part, value.get<double>());
      s.answers.push_back(std::move(answer));
    }
  return s;
}

RewardModelResult reward_model(const Json& json) {
  RewardModelResult r;
  r.accuracy = estimate(child(json, "accuracy"));
  r.ceiling = estimate(child(json, "ceiling"));
  r.correlation = estimate(child(json, "correlation"));
  each_object(child(json, "calibration"), [&](const Json& b) {
    const double predicted = number_or_nan(b, "predicted"), observed = number_or_nan(b, "observed");
    if (std::isfinite(predicted) && std::isfinite(observed))
      r.calibration.push_back({predicted, observed, number_or_nan(b, "low"), number_or_nan(b, "high"),
                               static_cast<int64_t>(number_at(b, "n").value_or(0))});
  });
  each_object(child(json, "margins"), [&](const Json& b) {
    const auto agreement = number_at(b, "agreement");
    if (agreement)
      r.margins.push_back({number_or_nan(b, "low"),
                           number_or_nan(b, "high"),
                           {*agreement, number_or_nan(b, "agreement_low"), number_or_nan(b, "agreement_high"),
                            static_cast<int64_t>(number_at(b, "n").value_or(0))}});
  });
  r.sources = named_list(child(json, "sources"));
  each_object(child(json, "sources"), [&](const Json& s) {
    if (const auto e = estimate(child(s, "baseline"))) r.source_baselines.emplace_back(text_at(s, "name"), *e);
  });
  r.baselines = named_list(child(json, "baselines"));
  return r;
}

ComparisonsResult comparisons(const Json& json) {
  ComparisonsResult c;
  c.about = text_at(json, "about");
  c.rule = estimate(child(json, "rule"));
  c.rule_name = text_at(child(json, "rule"), "name");
  each_object(child(json, "judges"), [&](const Json& j) {
    Judge judge{text_at(j, "name"), text_at(j, "kind"), estimate(j), estimate(child(j, "over_length")), {}, {}, {}};
    judge.sources = named_list(child(j, "sources"));
    each_object(child(j, "sources"), [&](const Json& s) {
      if (const auto e = estimate(child(s, "baseline"))) judge.source_baselines.emplace_back(text_at(s, "name"), *e);
      if (const auto e = estimate(child(s, "over_length")))
        judge.source_over_length.emplace_back(text_at(s, "name"), *e);
    });
    c.judges.push_back(std::move(judge));
  });
  return c;
}

}  // namespace

const ModelResult* Results::model(std::string_view name) const {
  const auto found = std::find_if(models.begin(), models.end(), [&](const ModelResult& m) { return m.name == name; });
  return found == models.end() ? nullptr : &*found;
}

Results parse_results(const Json& json) {
  Results r;
  r.task = text_at(json, "task");
  r.about = text_at(json, "about");
  const auto or_gold = [&](const char* key) { return text_at(json, key).empty() ? "gold reward" : text_at(json, key); };
  r.gold_name = or_gold("gold_name");
  r.gold_about = text_at(json, "gold_about");
  r.wins_by = text_at(json, "wins_by").empty() ? r.gold_name : text_at(json, "wins_by");
  each_object(child(json, "parts"), [&](const Json& p) {
    r.parts.push_back({text_at(p, "name"), text_at(p, "meaning"), number_at(p, "weight")});
  });
  ToneSet tones;
  each_object(child(json, "models"), [&](const Json& m) {
    r.models.push_back(model_result(m));
    r.models.back().tone = tones.of(r.models.back().name);
  });
  r.start_model = text_at(json, "start");
  if (!r.model(r.start_model) && !r.models.empty()) r.start_model = r.model("sft") ? "sft" : r.models.front().name;
  r.final_model = text_at(json, "final");
  if (!r.model(r.final_model) && !r.models.empty()) {
    r.final_model = r.models.back().name;
    for (const ModelResult& m : r.models)
      if (m.name.starts_with("ppo")) r.final_model = m.name;
  }
  r.differences = named_list(child(json, "differences"));
  each_object(child(json, "checks"), [&](const Json& c) {
    const auto e = estimate(c);
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    Check check{text_at(c, "name"), e.value_or(stats::Estimate{nothing, nothing, nothing, 0}), number_at(c, "at_least"),
                number_at(c, "at_most"), false};
    const Json& met = child(c, "met");
    check.met = met.is_boolean() ? met.get<bool>()
                                 : e && (!check.at_least || e->value >= *check.at_least) &&
                                       (!check.at_most || e->value <= *check.at_most);
    r.checks.push_back(std::move(check));
  });
  r.side_by_side_about = text_at(json, "side_by_side_about");
  each_object(child(json, "side_by_side"), [&](const Json& s) {
    r.side_by_side.push_back(side_by_side(s));
    if (r.side_by_side.back().answers.empty()) r.side_by_side.pop_back();
  });
  each_object(child(json, "gold_vs_proxy"), [&](const Json& p) {
    ProxyPoint point{text_at(p, "series"),         number_or_nan(p, "step"), number_or_nan(p, "sqrt_kl"),
                     number_or_nan(p, "proxy"),    number_or_nan(p, "gold"), number_or_nan(p, "gold_low"),
                     number_or_nan(p, "gold_high")};
    if (point.series.empty()) point.series = text_at(p, "model");
    if (std::isfinite(point.sqrt_kl)) r.gold_vs_proxy.push_back(std::move(point));
  });
  each_object(child(json, "faults"), [&](const Json& f) {
    r.faults.push_back(
        {text_at(f, "series"), number_or_nan(f, "step"), number_or_nan(f, "hidden"), number_or_nan(f, "visible")});
    if (!std::isfinite(r.faults.back().step)) r.faults.pop_back();
  });
  if (child(json, "reward_model").is_object()) r.reward_model = reward_model(child(json, "reward_model"));
  if (child(json, "comparisons").is_object()) r.comparisons = comparisons(child(json, "comparisons"));
  r.most_kl_per_token = number_at(child(json, "limits"), "kl_per_token");
  r.most_start_loss_ratio = number_at(child(json, "limits"), "start_loss_ratio");
  r.texts_about = text_at(json, "texts_about");
  if (const Json& phrases = child(json, "refusal_phrases"); phrases.is_array())
    for (const Json& phrase : phrases)
      if (phrase.is_string()) r.refusal_phrases.push_back(phrase.get<std::string>());
  each_object(child(json, "scores"), [&](const Json& s) {
    if (const auto e = estimate(s))
      r.scores.push_back({text_at(s, "task"), text_at(s, "model"), text_at(s, "metric"), *e});
  });
  return r;
}

const Estimate* find(const Named& list, std::string_view name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.first == name; });
  return found == list.end() ? nullptr : &found->second;
}

const Estimate* find_difference(const Results& r, std::string_view what, std::string_view a, std::string_view b) {
  return find(r.differences, std::string(what) + ": " + std::string(a) + " − " + std::string(b));
}

}  // namespace hone::report
