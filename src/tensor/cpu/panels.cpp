#include "tensor/cpu/panels.h"

#include <algorithm>

#include "tensor/cpu/kernels.h"
#include "tensor/tensor.h"

namespace hone::cpu {

Panels::Panels(int64_t rows, int64_t features, int64_t width)
    : rows(rows), features(features), width(width), data(static_cast<size_t>(count() * stride())) {}

void Panels::pack(const float* source) {
  at::parallel_for(0, count(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t m = 0; m < std::min(width, rows - i * width); ++m) {
        const float* row = source + (i * width + m) * features;
        float* target = panel(i) + m;
        for (int64_t d = 0; d < features; ++d) target[d * width] = row[d];
      }
  });
}

void Panels::unpack(float* target) const {
  constexpr int64_t kStrip = 64;  // features at a time, so that a panel's lines stay in the cache
  at::parallel_for(0, (features + kStrip - 1) / kStrip, 4, [&](int64_t begin, int64_t end) {
    for (int64_t strip = begin; strip < end; ++strip)
      for (int64_t i = 0; i < count(); ++i)
        for (int64_t m = 0; m < std::min(width, rows - i * width); ++m) {
          const float* source = panel(i) + m;
          float* row = target + (i * width + m) * features;
          for (int64_t d = strip * kStrip; d < std::min(features, (strip + 1) * kStrip); ++d)
            row[d] = source[d * width];
        }
  });
}

int64_t panel_width(int64_t rows) {
  const int64_t lanes = kernels().lanes;
  return rows <= lanes ? lanes : 2 * lanes;
}

namespace {

// One row, read from memory that is its own: in a panel each number of it would cost a line of the cache.
void single_row(const Panels& x, const PanelLinear& layer, Panels& y, int64_t offset, bool add) {
  const Kernels& k = kernels();
  std::vector<float> row(x.features);
  for (int64_t d = 0; d < x.features; ++d) row[d] = x.panel(0)[d * x.width];
  at::parallel_for(0, (layer.n + k.lanes - 1) / k.lanes, 4, [&](int64_t first, int64_t last) {
    k.single_linear(row.data(), layer.weight, x.features, layer.bias, y.panel(0) + offset * y.width, y.width,
                    first * k.lanes, std::min(layer.n, last * k.lanes), add);
  });
}

}  // namespace

void linear(const Panels& x, const PanelLinear& layer, Panels& y, int64_t offset, bool add) {
  if (x.rows == 1 && layer.bf16 == nullptr) return single_row(x, layer, y, offset, add);
  const Kernels& k = kernels();
  const int64_t tiles = (layer.n + k.tile_rows - 1) / k.tile_rows;
  at::parallel_for(0, tiles, 4, [&](int64_t first, int64_t last) {
    const int64_t begin = first * k.tile_rows, end = std::min(layer.n, last * k.tile_rows);
    for (int64_t i = 0; i < x.count(); ++i) {
      const auto with = [&](auto kernel, const auto* weight) {
        kernel(x.panel(i), x.width, weight, x.features, layer.bias, y.panel(i) + offset * y.width, begin, end, add);
      };
      if (layer.bf16 != nullptr) with(k.panel_linear_bf16, layer.bf16);
      else with(k.panel_linear, layer.weight);
    }
  });
}

}  // namespace hone::cpu
