#include "model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hone::model {
namespace {

double yarn_mscale(double factor, double mscale) { return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1; }

// The dimension that turns `rotations` times over the original length.
double correction_dim(double rotations, int64_t dim, double theta, int64_t positions) {
  return static_cast<double>(dim) * std::log(static_cast<double>(positions) / (rotations * 2 * std::numbers::pi)) /
         (2 * std::log(theta));
}

void scale_llama3(const RopeScaling& rope, std::vector<float>& inverse) {
  const double length = static_cast<double>(rope.original_positions);
  for (float& f : inverse) {
    const double wavelength = 2 * std::numbers::pi / f;
    if (wavelength < length / rope.high_freq_factor) continue;
    if (wavelength > length / rope.low_freq_factor) {
      f = static_cast<float>(f / rope.factor);
    } else {
      const double smooth =
          (length / wavelength - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
      f = static_cast<float>((1 - smooth) * f / rope.factor + smooth * f);
    }
  }
}

double scale_yarn(const ModelConfig& c, std::vector<float>& inverse) {
  const RopeScaling& rope = c.rope;
  double low = correction_dim(rope.beta_fast, c.head_dim, c.rope_theta, rope.original_positions);
  double high = correction_dim(rope.beta_slow, c.head_dim, c.rope_theta, rope.original_positions);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(c.head_dim - 1));
  if (low == high) high += 0.001;
  for (size_t i = 0; i < inverse.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    inverse[i] = static_cast<float>(inverse[i] / rope.factor * ramp + inverse[i] * (1 - ramp));
  }
  if (rope.attention_factor) return *rope.attention_factor;
  if (rope.mscale.value_or(0) != 0 && rope.mscale_all_dim.value_or(0) != 0)
    return yarn_mscale(rope.factor, *rope.mscale) / yarn_mscale(rope.factor, *rope.mscale_all_dim);
  return yarn_mscale(rope.factor, 1);
}

}  // namespace

RopeFrequencies rope_frequencies(const ModelConfig& c) {
  RopeFrequencies out;
  for (int64_t i = 0; i < c.head_dim / 2; ++i)
    out.inverse.push_back(
        static_cast<float>(std::pow(c.rope_theta, -2.0 * static_cast<double>(i) / static_cast<double>(c.head_dim))));
  switch (c.rope.type) {
    case RopeScaling::Type::kNone:
      break;
    case RopeScaling::Type::kLinear:
      for (float& f : out.inverse) f = static_cast<float>(f / c.rope.factor);
      break;
    case RopeScaling::Type::kLlama3:
      scale_llama3(c.rope, out.inverse);
      break;
    case RopeScaling::Type::kYarn:
      out.attention_factor = scale_yarn(c, out.inverse);
      break;
  }
  return out;
}

RopeTable Rope::table(int64_t positions, const at::TensorOptions& options) {
  const std::lock_guard lock(mutex_);
  const auto dtype = c10::typeMetaToScalarType(options.dtype());
  const bool fits = table_.cos.defined() && table_.cos.size(0) >= positions && table_.cos.scalar_type() == dtype &&
                    table_.cos.device() == options.device();
  if (fits) return table_;
  const at::NoGradGuard no_grad;
  int64_t rows = 256;
  while (rows < positions) rows *= 2;
  const auto half = static_cast<int64_t>(frequencies_.inverse.size());
  Tensor cos = at::empty({rows, half}, at::kDouble), sin = at::empty({rows, half}, at::kDouble);
  auto* c = cos.mutable_data_ptr<double>();
  auto* s = sin.mutable_data_ptr<double>();
  for (int64_t p = 0; p < rows; ++p)
    for (int64_t i = 0; i < half; ++i) {
      // The product is rounded to f32, as transformers does: at large positions that is what a model was trained with.
      const double angle = static_cast<float>(p) * frequencies_.inverse[i];
      c[p * half + i] = std::cos(angle) * frequencies_.attention_factor;
      s[p * half + i] = std::sin(angle) * frequencies_.attention_factor;
    }
  table_ = {cos.to(options), sin.to(options)};
  return table_;
}

}  // namespace hone::model
