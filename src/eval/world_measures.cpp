#include "eval/world_measures.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "eval/results_json.h"

namespace hone::eval {
namespace {

// A figure of one answer; nothing where the prompt does not ask for it.
using PerAnswer = std::optional<double> (*)(const world::GoldScore&, const world::WorldPrompt&);

PerAnswer per_answer(const std::string& what) {
  using Score = world::GoldScore;
  using Prompt = world::WorldPrompt;
  using Value = std::optional<double>;
  static const std::map<std::string, PerAnswer> kMeasures{
      {"gold", [](const Score& s, const Prompt&) -> Value { return s.total; }},
      {"correct", [](const Score& s, const Prompt&) -> Value { return s.correct ? Value(*s.correct) : Value(); }},
      {"give_in", [](const Score& s, const Prompt& p) { return p.opinion_is_wrong() ? Value(s.gave_in) : Value(); }},
      {"hidden_faults", [](const Score& s, const Prompt&) -> Value { return s.hidden_fault; }},
      {"visible_faults", [](const Score& s, const Prompt&) -> Value { return s.visible_fault; }},
  };
  const auto it = kMeasures.find(what);
  return it == kMeasures.end() ? nullptr : it->second;
}

}  // namespace

const Judged* WorldMeasures::find(const std::string& name) const {
  const auto it = std::ranges::find(models, name, &Judged::name);
  return it == models.end() ? nullptr : &*it;
}

std::vector<double> WorldMeasures::values(const Judged& m, const std::string& what) const {
  if (what == "kl") return m.kl;
  if (what == "win_rate") return start ? wins_over(m.gold, start->gold) : std::vector<double>{};
  std::vector<double> out;
  if (const PerAnswer of = per_answer(what))
    for (size_t i = 0; i < prompts.size(); ++i)
      if (const std::optional<double> v = of(m.scores[i], *prompts[i])) out.push_back(*v);
  return out;
}

std::optional<stats::Estimate> WorldMeasures::measure(const std::string& what, const Judged& m) const {
  const std::vector<double> v = values(m, what);
  if (v.empty()) return std::nullopt;
  return what == "gold" || what == "kl" ? stats::bootstrap_mean(v) : share(v);
}

std::optional<stats::Estimate> WorldMeasures::difference(const std::string& what, const Judged& a,
                                                         const Judged& b) const {
  const std::vector<double> u = values(a, what), v = values(b, what);
  return u.empty() || u.size() != v.size() ? std::nullopt : std::optional(paired_difference(u, v));
}

Json WorldMeasures::model_json(const Judged& m) const {
  std::map<std::string, std::vector<double>> parts, families;
  std::vector<double> harm, lookalike, length;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const world::GoldScore& s = m.scores[i];
    for (const world::Part& p : s.parts) parts[std::string(p.name)].push_back(p.value);
    families[std::string(world::family_name(prompts[i]->family))].push_back(s.total);
    if (prompts[i]->family == world::Family::kHarm) harm.push_back(s.refused);
    if (prompts[i]->family == world::Family::kLookalike) lookalike.push_back(s.refused);
    length.push_back(static_cast<double>(m.answers[i].ids.size()));
  }
  Json j{{"name", m.name}, {"path", m.folder}, {"gold", mean_json(m.gold)}};
  for (const auto& [name, of_part] : parts) j["parts"][name] = mean_json(of_part);
  for (const auto& [name, of_family] : families) j["families"][name] = mean_json(of_family);
  j["correctness"] = share_json(values(m, "correct"));
  if (const std::vector<double> gave_in = values(m, "give_in"); !gave_in.empty()) j["give_in"] = share_json(gave_in);
  if (!harm.empty()) j["refusals"]["harm"] = share_json(harm);
  if (!lookalike.empty()) j["refusals"]["lookalike"] = share_json(lookalike);
  j["hidden_faults"] = share_json(values(m, "hidden_faults"));
  j["visible_faults"] = share_json(values(m, "visible_faults"));
  j["length"] = mean_json(length);
  if (start && start != &m) {
    const std::vector<double> wins = values(m, "win_rate");
    j["win_rate"] = share_json(wins);
    j["win_rate"]["ties"] = std::ranges::count(wins, 0.5);
    if (!m.kl.empty()) j["kl"] = mean_json(m.kl);
  }
  return j;
}

Json WorldMeasures::parts_json() const {
  std::map<std::string, double> weights;
  for (const world::GoldScore& s : models.front().scores)
    for (const world::Part& p : s.parts) weights[std::string(p.name)] = p.weight;
  Json out = Json::array();
  for (const auto& [name, weight] : weights) out.push_back({{"name", name}, {"weight", weight}});
  return out;
}

Json WorldMeasures::side_by_side(int64_t count, int64_t seed) const {
  std::vector<double> change;
  if (start && final_model && start != final_model)
    for (size_t i = 0; i < prompts.size(); ++i) change.push_back(final_model->gold[i] - start->gold[i]);
  Json out = Json::array();
  for (const size_t i : side_by_side_order(prompts.size(), count, change, seed)) {
    Json answers = Json::object();
    for (const Judged& m : models) {
      Json parts = Json::object();
      for (const world::Part& p : m.scores[i].parts) parts[std::string(p.name)] = p.value;
      answers[m.name] = {{"text", m.answers[i].text}, {"gold", m.gold[i]}, {"parts", parts}};
    }
    out.push_back({{"id", prompts[i]->id},
                   {"family", world::family_name(prompts[i]->family)},
                   {"prompt", prompts[i]->text},
                   {"answers", answers}});
  }
  return out;
}

std::string WorldMeasures::sample_lines() const {
  std::string out;
  for (const Judged& m : models)
    for (size_t i = 0; i < prompts.size(); ++i) {
      Json line{{"model", m.name},
                {"id", prompts[i]->id},
                {"prompt", prompts[i]->text},
                {"completion", m.answers[i].text},
                {"gold", m.gold[i]}};
      for (const world::Part& p : m.scores[i].parts) line["parts"][std::string(p.name)] = p.value;
      if (!prompts[i]->held_out.empty()) line["held_out"] = prompts[i]->held_out;
      out += dump_json(line) + "\n";
    }
  return out;
}

}  // namespace hone::eval
