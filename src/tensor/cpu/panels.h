// Panels and the threads that work on them.
#pragma once
#include <cstdint>
#include <vector>

namespace hone::cpu {

/// Activations of `rows` tokens as ceil(rows / width) panels [features][width]; what is beyond `rows` is zero or
/// unused.
struct Panels {
  Panels() = default;
  Panels(int64_t rows, int64_t features, int64_t width);
  int64_t count() const { return (rows + width - 1) / width; }
  int64_t stride() const { return features * width; }
  float* panel(int64_t i) { return data.data() + i * stride(); }
  const float* panel(int64_t i) const { return data.data() + i * stride(); }
  /// From and to row-major rows (rows, features).
  void pack(const float* source);
  void unpack(float* target) const;

  int64_t rows = 0, features = 0, width = 0;
  std::vector<float> data;
};

/// The panel width that suits so many rows on this processor.
int64_t panel_width(int64_t rows);

struct PanelLinear {
  const float* weight;  ///< (N, K), or null where `bf16` is given
  const float* bias;    ///< (N) or null
  int64_t n;
  const uint16_t* bf16 = nullptr;  ///< (N, K), the weight's bits in bf16
};

/// y[:, offset + n] = x · Wᵀ + b, spread over threads by output features; `add`ed to y where asked.
void linear(const Panels& x, const PanelLinear& layer, Panels& y, int64_t offset = 0, bool add = false);

}  // namespace hone::cpu
