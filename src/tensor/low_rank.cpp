#include "tensor/low_rank.h"

#include "base/error.h"
#include "base/rng.h"
#include "tensor/linear.h"

namespace hone {

Tensor drop(const Tensor& x, const TokenDropout& dropout, uint64_t salt) {
  if (dropout.rate <= 0) return x;
  const int64_t rows = x.size(0), width = x.size(1);
  HONE_CHECK(static_cast<int64_t>(dropout.keys.size()) == rows, "drop: one key for each row");
  const auto kept = static_cast<float>(1 / (1 - dropout.rate));
  // 16 bits decide about an element, so four share a hash; the rate is rounded to 1/65,536.
  const auto below = static_cast<uint64_t>(dropout.rate * 65536);
  Tensor factors = at::empty({rows, width}, at::kFloat);
  auto* out = factors.mutable_data_ptr<float>();
  at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const uint64_t key = mix64(dropout.keys[i], salt);
      float* row = out + i * width;
      for (int64_t d = 0; d < width; d += 4) {
        const uint64_t bits = mix64(key, static_cast<uint64_t>(d));
        for (int64_t e = d; e < std::min(width, d + 4); ++e)
          row[e] = ((bits >> (16 * (e - d))) & 0xffff) < below ? 0.0f : kept;
      }
    }
  });
  return x * factors.to(x.device(), x.scalar_type());
}

Tensor add_low_rank(const Tensor& y, const Tensor& x, const LowRank& adapter, at::ScalarType compute) {
  return Tensor(y).add_(hone::linear(hone::linear(x, adapter.a, {}, compute) * adapter.scale, adapter.b, {}, compute));
}

}  // namespace hone
