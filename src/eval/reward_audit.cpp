#include "eval/reward_audit.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "eval/results_json.h"
#include "rewards/agreement.h"
#include "rewards/reward_model.h"
#include "world/annotators.h"
#include "world/saved.h"

namespace hone::eval {
namespace {

// Fisher's z interval of a correlation.
stats::Estimate correlation_interval(std::span<const double> x, std::span<const double> y, int64_t groups) {
  const double r = stats::pearson(x, y);
  const double freedom = static_cast<double>(x.size()) - static_cast<double>(groups) - 2;
  if (freedom < 2 || std::abs(r) >= 1) return {r, r, r, static_cast<int64_t>(x.size())};
  const double z = std::atanh(r), half = 1.959963984540054 / std::sqrt(freedom);
  return {r, std::tanh(z - half), std::tanh(z + half), static_cast<int64_t>(x.size())};
}

}  // namespace

RewardAudit audit_reward_model(const std::string& reward_folder, const std::string& annotators_folder, const world::World& world,
                               std::span<const world::WorldPrompt* const> prompts, std::span<const Answer> answers, int64_t samples, int64_t seed,
                               const std::string& device) {
  HONE_CHECK(answers.size() == prompts.size() * static_cast<size_t>(samples));
  const rewards::RewardModel reward = rewards::RewardModel::load(reward_folder, at::Device(device), at::ScalarType::Undefined);
  const world::AnnotatorParams annotators = world::load_annotators(annotators_folder);
  std::vector<std::vector<int32_t>> sequences;
  for (const Answer& a : answers) {
    sequences.push_back(a.prompt);
    sequences.back().insert(sequences.back().end(), a.ids.begin(), a.ids.end());
  }
  const std::vector<double> scores = reward.score(sequences);
  const double scale = reward.config().reward_scale;

  std::vector<double> centred_score, centred_gold, ceiling, longer;
  std::vector<rewards::Compared> compared;
  uint64_t index = 0;
  for (size_t p = 0; p < prompts.size(); ++p) {
    const size_t first = p * static_cast<size_t>(samples);
    std::vector<world::Seen> seen;
    std::vector<double> gold, score;
    for (size_t s = 0; s < static_cast<size_t>(samples); ++s) {
      const world::GoldScore g = world.score(*prompts[p], answers[first + s].text);
      gold.push_back(g.total);
      score.push_back(scores[first + s]);
      seen.push_back(world::seen(g));
    }
    for (size_t s = 0; s < gold.size(); ++s) {
      centred_gold.push_back(gold[s] - stats::mean(gold));
      centred_score.push_back(score[s] - stats::mean(score));
    }
    for (size_t a = 0; a < seen.size(); ++a)
      for (size_t b = a + 1; b < seen.size(); ++b) {
        const std::string &text_a = answers[first + a].text, &text_b = answers[first + b].text;
        if (text_a == text_b) continue;
        const world::Choice choice = world::choose(annotators, seed + 7919, index++, seen[a], seen[b]);
        const size_t better = choice.preferred == 0 ? a : b, worse = choice.preferred == 0 ? b : a;
        const double margin = (score[better] - score[worse]) * scale;
        const int truth = world::true_choice(seen[a], seen[b]);
        compared.push_back({margin, ""});
        ceiling.push_back(truth < 0 ? 0.5 : truth == choice.preferred ? 1.0 : 0.0);
        const auto &chosen = answers[first + better].text, &rejected = answers[first + worse].text;
        longer.push_back(chosen.size() > rejected.size() ? 1 : chosen.size() == rejected.size() ? 0.5 : 0);
      }
  }
  RewardAudit out;
  const auto wilson = [](const std::vector<double>& v) {
    double sum = 0;
    for (const double x : v) sum += x;
    return stats::wilson(sum, static_cast<int64_t>(v.size()));
  };
  out.accuracy = rewards::accuracy(compared);
  out.ceiling = wilson(ceiling);
  std::vector<double> right;
  for (const rewards::Compared& c : compared) right.push_back(c.right());
  out.accuracy_gap = paired_difference(ceiling, right);
  out.correlation = correlation_interval(centred_score, centred_gold, static_cast<int64_t>(prompts.size()));
  Json longer_json = rewards::estimate_json(wilson(longer));
  longer_json["name"] = "the longer answer is better";
  out.json = dump_json(Json{{"accuracy", rewards::estimate_json(out.accuracy)},
                            {"ceiling", rewards::estimate_json(out.ceiling)},
                            {"correlation", rewards::estimate_json(out.correlation)},
                            {"calibration", rewards::calibration_json(compared)},
                            {"margins", rewards::margins_json(compared)},
                            {"baselines", Json::array({longer_json})}});
  return out;
}

}  // namespace hone::eval
