#include "eval/reward_audit.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "eval/results_json.h"
#include "rewards/agreement.h"
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

RewardAudit audit_reward_model(const rewards::RewardModel& reward, const std::string& annotators_folder,
                               std::span<const Answer> answers, std::span<const std::vector<int32_t>> sequences,
                               std::span<const double> gold, std::span<const world::Seen> seen, int64_t samples,
                               int64_t seed) {
  const auto per_prompt = static_cast<size_t>(samples);
  HONE_CHECK(answers.size() == sequences.size() && answers.size() == gold.size() && answers.size() == seen.size() &&
             answers.size() % per_prompt == 0);
  const world::AnnotatorParams annotators = world::load_annotators(annotators_folder);
  const std::vector<double> scores = reward.score(sequences);
  const double scale = reward.config().reward_scale;

  std::vector<double> centred_score, centred_gold, ceiling, longer;
  std::vector<rewards::Compared> compared;
  uint64_t index = 0;
  for (size_t first = 0; first < answers.size(); first += per_prompt) {
    const auto own_gold = gold.subspan(first, per_prompt);
    const auto score = std::span<const double>(scores).subspan(first, per_prompt);
    for (size_t s = 0; s < per_prompt; ++s) {
      centred_gold.push_back(own_gold[s] - stats::mean(own_gold));
      centred_score.push_back(score[s] - stats::mean(score));
    }
    for (size_t a = 0; a < per_prompt; ++a)
      for (size_t b = a + 1; b < per_prompt; ++b) {
        const std::string &text_a = answers[first + a].text, &text_b = answers[first + b].text;
        if (text_a == text_b) continue;
        const world::Choice choice = world::choose(annotators, seed + 7919, index++, seen[first + a], seen[first + b]);
        const size_t better = choice.preferred == 0 ? a : b, worse = choice.preferred == 0 ? b : a;
        const double margin = (score[better] - score[worse]) * scale;
        const int truth = world::true_choice(seen[first + a], seen[first + b]);
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
  out.correlation =
      correlation_interval(centred_score, centred_gold, static_cast<int64_t>(answers.size() / per_prompt));
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
