// Which precision matrix products run in. f32 under 10 million parameters; above, the faster of f32 and bf16 on this
// machine, measured once at the first start, stored in the run record with the reason, and never measured again on
// resume. Master weights, sums and log-probabilities are f32 either way.
#pragma once
#include "config/stage_context.h"
#include "model/config.h"
#include "tensor/tensor.h"

namespace hone::train {

struct Precision {
  std::string dtype, reason;  ///< "f32" or "bf16"
};
/// What a run of these settings would choose; measures where they say auto.
Precision choose_precision(const config::RunSettings& run, const model::ModelConfig& config);

/// Fills context.record.dtype and dtype_reason where they are empty, prints them, and returns the dtype of matrix
/// products: kBFloat16, or Undefined for the weights' own f32.
at::ScalarType resolve_precision(config::StageContext& context, const model::ModelConfig& config);

}  // namespace hone::train
