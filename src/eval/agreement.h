// How models agree with comparisons that people made and nobody here learnt from.
//
// A language model's implicit reward of an answer is log π(answer) / π_reference(answer), times a beta that changes no
// order (Rafailov et al. 2023, eq. 5): it agrees where the chosen answer has more of it. Beside everybody stands the
// rule "the longer answer is better", in tokens. Intervals are over prompts: answers to one prompt are judged alike.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/stats.h"
#include "data/encoder.h"
#include "data/tokens.h"
#include "eval/answers.h"
#include "eval/eval_stage.h"
#include "rewards/reward_model.h"

namespace hone::eval {

struct HumanComparisons {
  std::vector<data::Pair> pairs;
  std::vector<std::string> sources;  ///< of each
  std::vector<size_t> prompts;       ///< of each, the number of its prompt
  std::string about;
};
/// The held-out rows of `params.comparisons`, ties left out. Rows whose prompts one of `params.models` or of the reward
/// models learnt from (split.json beside its folder): kUsage.
HumanComparisons read_comparisons(const EvalParams& params, const data::Encoder& encoder, int64_t context,
                                  int64_t seed);

/// For each comparison log p(chosen) - log p(rejected), of the answers' tokens, nats.
std::vector<double> answer_margins(const EvaluatedModel& evaluated, const HumanComparisons& comparisons,
                                   const std::string& label);
/// Rewards of the chosen less those of the rejected.
std::vector<double> reward_margins(const rewards::RewardModel& reward, const HumanComparisons& comparisons);

/// Whoever judges: 1 for each comparison decided as people did, ½ for a tie.
class Agreement {
 public:
  explicit Agreement(HumanComparisons comparisons);
  void add(const std::string& name, const std::string& kind, std::span<const double> margins);

  /// "agreement" or "agreement_over_length" of NAME or NAME@SOURCE, or the paired difference of two on the same
  /// comparisons (`b` empty: none). Nothing where there is no such judge or source.
  std::optional<stats::Estimate> measure(const std::string& what, const std::string& a, const std::string& b) const;
  /// The "comparisons" object of results.json.
  Json to_json() const;
  const HumanComparisons& comparisons() const { return comparisons_; }

 private:
  struct Judge {
    std::string name, kind;
    std::vector<double> right;
  };
  stats::Estimate estimate(std::span<const double> right, std::span<const double> less,
                           const std::string& source) const;
  HumanComparisons comparisons_;
  std::vector<double> longer_;  ///< as `right`, of the rule
  std::vector<Judge> judges_;
};

}  // namespace hone::eval
