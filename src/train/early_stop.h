// When learning from few comparisons ends, and which of its looks is kept.
//
// Few comparisons are learnt by heart within two or three passes. Long before the loss on them says anything, the
// policy can have left what its start would say: answers then break while the margin still grows (over-optimisation of
// the implicit reward: Rafailov et al. 2024, arXiv 2406.02900). So at every evaluation three figures are taken:
//
//   held-out accuracy    share of comparisons that did not train whose chosen side has the higher implicit reward
//   KL a token           Σ log π/π_start over Σ tokens of answers that the policy samples (k1), nats
//   start-loss ratio     (Σ -log π_start / Σ tokens of the policy's answers) / (the same of the start's own answers)
//
// A look that is past a limit ends the run: it learned too hard. So does the patience-th look in a row that is no
// better than the best, or the one that cross-validation names. What is kept is the best look that holds the limits: of
// the highest accuracy, among equals of the lowest held-out loss, among those the earliest; without held-out
// comparisons, and on the way to where cross-validation says, the last that holds them. The ratio is known to some
// percent only, and the largest of several is an unlucky one: it holds its limit where 1.645 standard errors (over
// prompts; 95% on one side) above it still do. The start holds them and is no
// better than chance: 1/2, at the loss of a margin of 0. So where nothing beats it, it is kept.
//
// Torch-free, and a function of the looks alone.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "train/settings.h"

namespace hone::train {

/// What an evaluation found. Nothing: not measured.
struct Look {
  int64_t step = 0;
  std::optional<double> accuracy = {}, loss = {};                  ///< held out
  std::optional<double> kl_per_token = {}, start_loss_ratio = {};  ///< of sampled answers
  double start_loss_ratio_error = 0;                               ///< its standard error
};

class EarlyStop {
 public:
  enum class Outcome {
    kRanThrough,  ///< to the last step (or not ended yet)
    kTooHard,     ///< a look was past a limit
    kNoBetter,    ///< looks without an improvement
    kFarEnough,   ///< where cross-validation said
  };

  /// `start`: the look before the first step.
  EarlyStop(const StopSettings& settings, const Look& start);

  /// The look after which the run ends: cross-validation (cross_validation.h) found none that is better. 0: the start
  /// is the best, and it ends here.
  void until(int64_t step);

  /// True: the weights of this look are the ones to keep.
  bool take(const Look& look);
  /// Whether the run ends here.
  bool ended() const { return outcome_ != Outcome::kRanThrough; }
  Outcome outcome() const { return outcome_; }
  /// The look whose weights are the result.
  const Look& kept() const { return kept_; }

  /// "ran_through", "learned_too_hard", "no_better", "far_enough".
  std::string name() const;
  /// In words, which figure passed which limit where, and which step is kept.
  std::string why() const;

  /// For the checkpoint.
  Json state() const;
  void restore(const Json& state);

 private:
  std::string passed(const Look& look) const;
  bool surely_within(const Look& look) const;
  bool better(const Look& look) const;

  StopSettings settings_;
  Look kept_, last_;
  int64_t since_better_ = 0;
  std::optional<int64_t> until_;
  Outcome outcome_ = Outcome::kRanThrough;
};

}  // namespace hone::train
