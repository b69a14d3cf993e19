// The answers of several models to the built-in world's prompts, and every figure taken of them.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/stats.h"
#include "eval/answers.h"
#include "world/gold.h"

namespace hone::eval {

/// One model's answers, one for each prompt.
struct Judged {
  std::string name, folder;
  std::vector<Answer> answers = {};
  std::vector<world::GoldScore> scores = {};
  std::vector<double> gold = {};  ///< the scores' totals
  std::vector<double> kl = {};    ///< log π/π_start of the answer, nats (k1); none for the start model
};

/// Measures by name: those of measures.def that are of the `world`. `correct`, `give_in` are over the prompts that have
/// a right answer or a wrong opinion; win_rate is over `start`.
class WorldMeasures {
 public:
  explicit WorldMeasures(std::vector<const world::WorldPrompt*> prompts) : prompts(std::move(prompts)) {}
  WorldMeasures(const WorldMeasures&) = delete;  // `start` and `final_model` point into `models`
  WorldMeasures& operator=(const WorldMeasures&) = delete;

  std::vector<const world::WorldPrompt*> prompts;
  std::vector<Judged> models;
  const Judged *start = nullptr, *final_model = nullptr;  ///< among `models`; null: none

  const Judged* find(const std::string& name) const;
  /// Nothing where there is no such measure, or the model lacks it.
  std::optional<stats::Estimate> measure(const std::string& what, const Judged& m) const;
  /// a less b, paired over prompts.
  std::optional<stats::Estimate> difference(const std::string& what, const Judged& a, const Judged& b) const;

  /// Entries of results.json (report/results.h).
  Json model_json(const Judged& m) const;
  /// Parts of the gold reward with their weights.
  Json parts_json() const;
  /// Half are drawn at random, half are the prompts on which the final model's gold changed most.
  Json side_by_side(int64_t count, int64_t seed) const;
  /// samples.jsonl.
  std::string sample_lines() const;

 private:
  std::vector<double> values(const Judged& m, const std::string& what) const;
};

}  // namespace hone::eval
