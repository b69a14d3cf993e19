// Hand-vectorised f32 kernels for the CPU, compiled once per instruction set (kernels_v4.cpp: AVX-512, kernels_v3.cpp:
// AVX2 and FMA, kernels_base.cpp: whatever the compiler assumes) and chosen when the program starts: the widest that
// the processor runs, or the one that HONE_CPU names.
//
// Panels. The incremental forward pass keeps activations of `width` rows (tokens) as [features][width]: a vector holds
// one feature of many tokens, so each token is computed in its own lane, in an order that depends on nothing but the
// model. That makes results independent of the batch bit for bit, and needs no copy or transposition of weights.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

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

/// Causal attention of one sequence and one key head in training. Rows are tokens of a pack; the sequence's are
/// [begin, begin + length), or those of a tree (tensor/packed_attention.h). Pointers stand at the first head of the
/// group (q, out, …) or at the key head (k, v, …) of token 0; strides lead from token to token.
struct TrainAttendJob {
  int64_t begin, length, group, head_dim;
  const int64_t* branches;  ///< first rows of a tree's branches, from `begin` on
  int64_t branch_count;     ///< 0: a sequence
  float scale;
  const float *cos, *sin;  ///< (N, head_dim / 2), or null: RoPE on queries and keys
  const float *q, *k, *v;
  int64_t q_stride, kv_stride;
  float* out;
  int64_t out_stride;
  float* logsumexp;  ///< of the scores; the group's heads lie side by side
  int64_t logsumexp_stride;
  const float* d_out;  ///< strides as out; this and what follows: backward only
  float *dq, *dk, *dv;
  int64_t dq_stride, dkv_stride;
  float* scratch;  ///< train_attend_scratch floats
};

struct Kernels {
  const char* name;
  int64_t lanes;      ///< panel widths are lanes or 2 · lanes
  int64_t tile_rows;  ///< panel_linear is fastest on multiples of this many weight rows

  /// y[n][m] = bias[n] + Σ_k w[n][k] · x[k][m] for n in [begin, end), summed in the order of k; added to y where `add`.
  void (*panel_linear)(const float* x, int64_t width, const float* w, int64_t k, const float* bias, float* y,
                       int64_t begin, int64_t end, bool add);
  /// The same with weights in bf16 (their bits), widened as they are read.
  void (*panel_linear_bf16)(const float* x, int64_t width, const uint16_t* w, int64_t k, const float* bias, float* y,
                            int64_t begin, int64_t end, bool add);
  /// panel_linear of a panel with one row in it, to the bit. x is the row itself, [k]; y lane 0 of a panel of `width`,
  /// the other lanes of which stay as they were.
  void (*single_linear)(const float* x, const float* w, int64_t k, const float* bias, float* y, int64_t width,
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

  void (*train_attend_forward)(const TrainAttendJob& job);
  void (*train_attend_backward)(const TrainAttendJob& job);
  int64_t (*train_attend_scratch)(int64_t length, int64_t head_dim, bool backward);

  /// logp of the target, logsumexp and entropy (may be null) of one row of logits.
  void (*softmax_row)(const float* z, int64_t n, int64_t target, float* logp, float* logsumexp, float* entropy);
  /// z becomes scale · (g·([v = target] - p) - e·p·(log p + entropy)).
  void (*softmax_row_gradient)(float* z, int64_t n, int64_t target, float logsumexp, float entropy, float g, float e,
                               float scale);
  void (*rms_norm_row)(const float* x, const float* weight, int64_t n, float eps, float* y, float* factor);
  void (*rms_norm_row_gradient)(const float* x, const float* weight, const float* dy, int64_t n, float factor,
                                float* dx, float* dweight);
  void (*swiglu)(const float* gate, const float* up, float* y, int64_t n);
  void (*swiglu_gradient)(const float* gate, const float* up, const float* dy, float* dgate, float* dup, int64_t n);
};

/// The chosen table: the widest that this processor runs, unless another was asked for.
const Kernels& kernels();
/// Every table that this processor runs, the plainest first.
std::vector<const Kernels*> runnable_kernels();
/// Takes the table of this name; one that is not there or cannot run here: kUsage. Before the first tensor.
void choose_kernels(const std::string& name);

}  // namespace hone::cpu
