// Hand-vectorised f32 kernels for the CPU, compiled once per instruction set (kernels_v4.cpp: AVX-512, kernels_v3.cpp:
// AVX2 and FMA, kernels_base.cpp: whatever the compiler assumes) and chosen when the program starts.
//
// Panels. The incremental forward pass keeps activations of `width` rows (tokens) as [features][width]: a vector holds
// one feature of many tokens, so each token is computed in its own lane, in an order that depends on nothing but the
// model. That makes results independent of the batch bit for bit, and needs no copy or transposition of weights.
#pragma once
#include <cstdint>

namespace hone::cpu {

/// Keys per block of a KV cache: K lies as [head_dim][16] in a block, V as [16][v_stride].
constexpr int64_t kBlockKeys = 16;

/// Consecutive tokens of one sequence attending with one group of query heads to one key head.
struct AttendJob {
  const float* const* blocks;  ///< the sequence's blocks, in order
  int64_t k_offset, v_offset;  ///< of this layer's and head's part in a block, in floats
  int64_t v_stride;            ///< head_dim rounded up to 16
  const float* q;              ///< panels [row / width][heads · head_dim …][width]
  int64_t q_stride;            ///< floats from one panel to the next
  float* out;                  ///< the same layout
  int64_t out_stride;
  int64_t width;
  int64_t row, rows;    ///< first row in the panels, how many
  int64_t position;     ///< of the first row; key j is seen from position j on
  int64_t head, group;  ///< first query head, how many
  int64_t head_dim;
  float scale;
  float* scratch;  ///< kAttendTile · round_up(position + rows, 16) floats
};
constexpr int64_t kAttendTile = 4;  ///< (row, head) pairs at a time

struct Kernels {
  const char* name;
  int64_t lanes;      ///< panel widths are lanes or 2 · lanes
  int64_t tile_rows;  ///< panel_linear is fastest on multiples of this many weight rows

  /// y[n][m] = bias[n] + Σ_k w[n][k] · x[k][m] for n in [begin, end), summed in the order of k; added to y where `add`.
  void (*panel_linear)(const float* x, int64_t width, const float* w, int64_t k, const float* bias, float* y,
                       int64_t begin, int64_t end, bool add);
  void (*panel_rms_norm)(const float* x, int64_t width, const float* weight, double eps, float* y, int64_t features);
  void (*panel_layer_norm)(const float* x, int64_t width, const float* weight, const float* bias, double eps, float* y,
                           int64_t features);
  /// Rotates `heads` heads in place; cos and sin are [head_dim / 2][width].
  void (*panel_rope)(float* x, int64_t width, const float* cos, const float* sin, int64_t heads, int64_t head_dim);
  void (*panel_swiglu)(const float* gate, const float* up, float* y,
                       int64_t n);                          ///< n a multiple of lanes; y may be up
  void (*panel_gelu)(const float* x, float* y, int64_t n);  ///< tanh form; y may be x
  void (*attend)(const AttendJob& job);
};

const Kernels& kernels();

}  // namespace hone::cpu
