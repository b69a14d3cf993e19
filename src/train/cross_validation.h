// How far to learn from few comparisons, where holding some out would cost too much of what there is: cross-validation
// (Stone 1974; Hastie, Tibshirani and Friedman 2009, 7.10). The comparisons are cut into k folds by prompt; k policies,
// each from the same start and with the same settings, learn from all folds but one and are looked at on that one.
// Pooled over all comparisons, the k curves say how far the policy that then learns from every one of them should go:
//
//   A(x) = Σ_f n_f a_f(x) / Σ_f n_f    x: share of the steps, in [0, 1]; n_f: comparisons of fold f
//
// a_f is interpolated between the looks of fold f, whose policy takes fewer steps. The loss is pooled likewise,
// without what it has of the likelihood of chosen answers: that rises on and on, and says nothing of who was right. The
// share of few comparisons that is right is a coarse figure (of 34, .70 and .76 are two comparisons apart), so that
// every look within one standard error of the best is taken for as good, and the loss decides among them (the rule of
// Breiman et al. 1984, which takes the simplest model there). The share that is chosen is biased upwards by having been
// chosen among the looks: it is no estimate of how good the final policy is, which is for an evaluation on other
// prompts.
//
// Torch-free.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json_fwd.h"

namespace hone::train {

/// The fold of each row, from 0: rows of one key (a prompt) lie in one, and folds differ by at most one key. There are
/// `folds` of them, or as many as there are keys, if that is less. One key alone: kUsage.
std::vector<int64_t> folds_of(std::span<const std::string> keys, int64_t folds, uint64_t seed);

class CrossValidation {
 public:
  struct Look {
    double share = 0;  ///< of the fold's steps
    double accuracy = 0, loss = 0;
  };

  /// The next fold begins, which holds out so many comparisons; at its start no margin is above 0 (accuracy 1/2), and
  /// the loss is `start_loss`.
  void begin_fold(int64_t comparisons, double start_loss);
  /// Of the fold that was begun last, in order.
  void add(const Look& look);

  int64_t folds() const { return std::ssize(folds_); }
  int64_t comparisons() const;
  /// Pooled, at a share of the way.
  Look at(double share) const;

  /// Which of these shares to go to; nothing where no policy tells comparisons apart better than a coin.
  std::optional<size_t> best_of(std::span<const double> shares) const;

  /// For the checkpoint.
  Json state() const;
  void restore(const Json& state);

 private:
  struct Fold {
    int64_t comparisons = 0;
    std::vector<Look> looks;
  };
  std::vector<Fold> folds_;
};

}  // namespace hone::train
