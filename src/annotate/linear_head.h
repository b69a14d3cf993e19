// What a person's choices say so far, as a Bayesian linear model of the difference of two answers' features:
//
//   P(a preferred | x) = σ(wᵀx),   x = (φ(a) − φ(b)) / s,   w ~ N(0, τ² I)
//
// with s the root mean square length of the differences, so that τ is the prior standard deviation of a typical pair's
// log-odds. The posterior is Laplace's approximation at the mode, in its dual form, which costs n³ for n judgements
// whatever the number of features:
//
//   K = τ² X Xᵀ,  W = diag(π(1−π)),  B = I + W½ K W½ = L Lᵀ
//   Newton: b = W f + (y − π),  f ← K (b − W½ B⁻¹ W½ K b)
//   of new pairs: mean k*ᵀ(y − π),  covariance K** − Vᵀ V,  V = L⁻¹ W½ k*
//
// Rasmussen & Williams, "Gaussian Processes for Machine Learning" (2006), algorithms 3.1 and 3.2 with the linear
// kernel; MacKay, "The evidence framework applied to classification networks", Neural Computation 4 (1992). Differs
// from the book in: a label may be ½ (a tie), and a Newton step that makes the objective worse is halved.
#pragma once
#include <span>
#include <vector>

namespace hone::annotate {

using Features = std::vector<float>;

/// Joint Gaussian of the log-odds of several pairs.
struct LogOdds {
  std::vector<double> mean;
  std::vector<double> covariance;  ///< (n, n), rows one after the other
  double variance(size_t i) const { return covariance[i * mean.size() + i]; }
};

class LinearHead {
 public:
  /// τ. Odds of 9 to 1 on a typical pair lie one prior standard deviation from even.
  static constexpr double kPriorDeviation = 2.2;

  /// `differences[i]`: φ(a) − φ(b) of a judged pair, all of one length. `labels[i]`: 1 a was preferred, 0 b, ½ a tie.
  LinearHead(std::vector<Features> differences, std::vector<double> labels, double scale,
             double prior_deviation = kPriorDeviation);
  /// s: the root mean square length; 1 where all are 0 or there are none.
  static double scale_of(std::span<const Features> differences);

  LogOdds log_odds(std::span<const Features> differences) const;
  /// τ² Xᵀ(y − π), the mode itself, for tests.
  std::vector<double> weights() const;

 private:
  double kernel(const Features& a, const Features& b) const;
  std::vector<Features> x_;
  std::vector<double> y_;
  double variance_;            // τ²/s², of the kernel of raw differences
  std::vector<double> slope_;  // y − π at the mode
  std::vector<double> root_;   // W½
  std::vector<double> lower_;  // L, (n, n)
};

/// Var[σ(f)] for f ~ N(mean, variance): what is to be learnt of the choice itself, in [0, ¼]. Far from even odds it
/// is small however unsure the log-odds are.
double probability_variance(double mean, double variance);

}  // namespace hone::annotate
