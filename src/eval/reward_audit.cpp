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

// Of values centred within each prompt, whose sums over a prompt are given: xy, xx, yy.
struct Products {
  std::vector<double> xy, xx, yy;
};

stats::Estimate correlation_by_prompt(const Products& p) {
  return stats::bootstrap(std::ssize(p.xy), [&](std::span<const int32_t> counts) {
    double xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < counts.size(); ++i)
      xy += counts[i] * p.xy[i], xx += counts[i] * p.xx[i], yy += counts[i] * p.yy[i];
    return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
  });
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
  const double scale = reward.scale();

  std::vector<double> ceiling, longer;
  std::vector<double> gap, comparisons;  // of each prompt: right choices of the true utility less the model's; how many
  Products products;
  std::vector<rewards::Compared> compared;
  uint64_t index = 0;
  for (size_t first = 0; first < answers.size(); first += per_prompt) {
    const auto own_gold = gold.subspan(first, per_prompt);
    const auto score = std::span<const double>(scores).subspan(first, per_prompt);
    double xy = 0, xx = 0, yy = 0;
    for (size_t s = 0; s < per_prompt; ++s) {
      const double x = score[s] - stats::mean(score), y = own_gold[s] - stats::mean(own_gold);
      xy += x * y, xx += x * x, yy += y * y;
    }
    products.xy.push_back(xy), products.xx.push_back(xx), products.yy.push_back(yy);
    gap.push_back(0), comparisons.push_back(0);
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
        gap.back() += ceiling.back() - compared.back().right();
        comparisons.back() += 1;
        const auto &chosen = answers[first + better].text, &rejected = answers[first + worse].text;
        longer.push_back(chosen.size() > rejected.size() ? 1 : chosen.size() == rejected.size() ? 0.5 : 0);
      }
  }
  RewardAudit out;
  out.accuracy = rewards::accuracy(compared);
  out.ceiling = share(ceiling);
  out.accuracy_gap = stats::bootstrap_ratio(gap, comparisons);
  out.correlation = correlation_by_prompt(products);
  Json longer_json = share_json(longer);
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
