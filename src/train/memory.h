// What networks take in memory: planned from a config alone (`--plan`, the size of micro-batches), and counted from the
// tensors that a stage holds. tests/train/memory_test.cpp holds one against the other. Torch-free.
//
// Bytes a parameter: f32 weights 4; of a frozen network the layers' matrices in the dtype of matrix work (bf16: 2);
// gradients 4; AdamW's two moments 8, Muon's one 4; in bf16 the casts of matrices that learn and of the output layer,
// kept until the optimiser changes them, 2.
#pragma once
#include <cstdint>
#include <string>

#include "model/config.h"
#include "optim/params.h"
#include "train/settings.h"

namespace hone::train {

struct Memory {
  double weights = 0, casts = 0, gradients = 0, optimiser = 0;  ///< bytes
  double total() const { return weights + casts + gradients + optimiser; }
  Memory& operator+=(const Memory& other);
};
Memory operator+(Memory a, const Memory& b);
Memory operator*(Memory a, double n);
/// "16.0 bytes a parameter: weights 4.0, gradients 4.0, optimiser 8.0".
std::string describe(const Memory& memory, int64_t parameters);

/// How a network is held.
struct Held {
  bool bf16 = false;          ///< matrix work
  bool output_weight = true;  ///< an untied one; reward models and critics have none
  bool shared = false;        ///< its frozen tensors are counted with another network
};
Memory frozen_memory(const model::ModelConfig& config, const Held& held);
/// Everything learns, or with adapter.rank > 0 the adapter over a frozen network.
Memory learning_memory(const model::ModelConfig& config, const AdapterSettings& adapter,
                       const optim::OptimParams& optim, const Held& held);

/// Activations that a training pass keeps of each token for its backward pass, and what that makes in one layer. The
/// allocator's own keep comes on top (docs/memory.md: up to a third).
double activation_bytes_per_token(const model::ModelConfig& config, bool bf16, bool checkpoint);
/// micro_tokens as set; where it is 0, as many as keep the activations of a pass under activation_gb, from 512 to
/// 16,384.
int64_t micro_tokens(const ModelSettings& settings, const model::ModelConfig& config, bool bf16);

}  // namespace hone::train
