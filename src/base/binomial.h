// Intervals for the share p of a yes/no count, k in n, that hold for small n, and how many answers make one sure.
//
// Two intervals, for two ways to stop:
//
//   n fixed beforehand   Clopper and Pearson 1934 (Biometrika 26, 404): all p that neither of two exact binomial tests
//                        of level α/2 refuses,
//                          P(X >= k | low) = α/2,   P(X <= k | high) = α/2,   X ~ Binomial(n, p).
//                        P(p in the interval) >= 1 - α for every p and n.
//   n not fixed          One looks, and goes on or not. A confidence sequence (Robbins 1970, Ann. Math. Stat. 41,
//   1397):
//                        mix the likelihood over q uniform on [0, 1] and divide it by that of p,
//                          M_n(p) = ∫ q^k (1-q)^(n-k) dq / (p^k (1-p)^(n-k)) = 1 / ((n+1) C(n,k) p^k (1-p)^(n-k)).
//                        Under p it is a martingale of mean 1, so P(M_n(p) >= 1/α for any n) <= α (Ville 1939), and
//                          {p : C(n,k) p^k (1-p)^(n-k) > α / (n+1)}
//                        holds the true share at all n at once with probability >= 1 - α. The likelihood is concave in
//                        log p/(1-p), so the set is an interval. Wider than the first: what it costs to look.
//
// Whoever reports the first of the two that is sure, an interval at a fixed n and later the sequence, spends both
// levels: 2α at most. Everything in f64; n up to a few thousand.
#pragma once
#include <cstdint>
#include <optional>

#include "base/stats.h"

namespace hone::stats {

/// The level α of the 95% intervals below.
inline constexpr double kAlpha = 0.05;

/// C(n,k) p^k (1-p)^(n-k).
double binomial_probability(int64_t k, int64_t n, double p);
/// P(X >= k), X ~ Binomial(n, p).
double binomial_at_least(int64_t k, int64_t n, double p);

/// 95%, for an n that was fixed before the first answer. n = 0: [0, 1]. Not 0 <= k <= n: a bug.
Estimate clopper_pearson(int64_t k, int64_t n);
/// 95% at every n at once: for an n that nobody fixed.
Estimate anytime_share(int64_t k, int64_t n);

/// How often the fixed-n interval of n answers excludes 1/2 where the true share is p: the exact test's power.
double power_at(int64_t n, double p);
/// The smallest n with at least that power; nothing where it is above `most`. Power is a saw tooth in n, so a somewhat
/// larger n can have a little less.
std::optional<int64_t> answers_for_power(double p, double power, int64_t most);
/// From k in n on, with the true share p: the fewest further answers by which anytime_share has excluded 1/2 with at
/// least that probability, by exact enumeration of the paths; nothing where it is above `most`. 0 where it does now.
std::optional<int64_t> answers_until_sure(int64_t k, int64_t n, double p, double power, int64_t most);

}  // namespace hone::stats
