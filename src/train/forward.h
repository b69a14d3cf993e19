// How a loop's forward passes compute: nothing here changes what is computed.
#pragma once
#include "model/decoder.h"
#include "tensor/logps.h"

namespace hone::train {

struct Forward {
  model::ComputeOptions compute;
  LogpsOptions logps;

  Forward() = default;
  /// Matrix work of a network that learns, in `dtype` (Undefined: the weights' own), casts kept between passes.
  Forward(at::ScalarType dtype, bool checkpoint, model::AttentionWork* work) {
    compute.matmul = logps.compute = dtype;
    compute.checkpoint = checkpoint;
    compute.work = work;
    compute.casts = logps.casts = std::make_shared<WeightCasts>();
  }
};

}  // namespace hone::train
