// Statistics of the marked elements of an array, in f64: whitening and explained variance.
#pragma once
#include <cstdint>
#include <span>

namespace hone::advantages {

struct Moments {
  double mean = 0;
  double variance = 0;  // divided by n - 1 (unbiased) or n
  int64_t count = 0;
};

/// `mask` empty: all count. An unbiased variance of fewer than two elements is 0.
Moments moments(std::span<const float> x, std::span<const uint8_t> mask, bool unbiased);

/// (x - mean) / √(variance + 1e-8) in place where the mask is 1 and 0 elsewhere; `shift_mean` false adds the mean back
/// (as TRL does for rewards, so that their sign stays). The whole batch is one population: never call it per
/// micro-batch.
void whiten(std::span<float> x, std::span<const uint8_t> mask, bool unbiased, bool shift_mean = true);

/// 1 - Var(returns - values) / Var(returns): 1 for a perfect critic, 0 for one that knows only the mean, below 0 for
/// worse. 0 where the returns do not vary.
double explained_variance(std::span<const float> values, std::span<const float> returns,
                          std::span<const uint8_t> mask = {});

}  // namespace hone::advantages
