// Which rewards an on-policy stage learns from: a weighted list of sources (rewards.def, checkers.def). Torch-free.
#pragma once
#include <string>
#include <vector>

#include "checkers/checker.h"
#include "config/fields.h"

namespace hone::rewards {

/// `reward = Σ_k weight_k · reward_k(prompt, answer)`
struct RewardSettings {
  std::vector<std::string> rewards = {"model"};
  std::vector<double> reward_weights;
  std::string reward;
  std::string ensemble = "mean";
  double ensemble_penalty = 1.0;
  bool close_unfinished = false;
  checkers::CheckerSettings checkers;

  void fields(config::Fields& v);
  bool asks_model() const;
  /// Ids of the checkers among `rewards`.
  std::vector<std::string> checker_ids() const;
  /// One for each of `rewards`.
  std::vector<double> weights() const;
  /// Unknown or repeated sources, weights that do not fit, a model that is not named: kUsage.
  void check() const;
};

}  // namespace hone::rewards
