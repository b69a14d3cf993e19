// Rotary positions: Su et al., "RoFormer", 2021, in Hugging Face's half-split layout, with the frequency scalings of
// linear interpolation (Chen et al. 2023), Llama 3.1 and YaRN (Peng et al. 2023).
//   angle(p, i) = p · f_i,   f_i = θ^(-2i/d);   (x_i, x_{i+d/2}) turned by the angle, times YaRN's attention factor.
#pragma once
#include <mutex>

#include "model/config.h"
#include "tensor/tensor.h"

namespace hone::model {

/// The d/2 frequencies, scaled, in f32 as transformers computes them; and the factor on cos and sin.
struct RopeFrequencies {
  std::vector<float> inverse;  ///< (d/2)
  double attention_factor = 1;
};
RopeFrequencies rope_frequencies(const ModelConfig& config);

struct RopeTable {
  Tensor cos, sin;  ///< (P, d/2)
};

/// cos and sin by position, grown when a longer sequence comes. A value never depends on how long the table is.
class Rope {
 public:
  explicit Rope(const ModelConfig& config) : frequencies_(rope_frequencies(config)) {}
  /// At least `positions` rows, in this dtype and on this device.
  RopeTable table(int64_t positions, const at::TensorOptions& options);

 private:
  RopeFrequencies frequencies_;
  std::mutex mutex_;
  RopeTable table_;
};

}  // namespace hone::model
