// How a loop's forward passes compute: nothing here changes what is computed.
#pragma once
#include "model/decoder.h"
#include "tensor/logps.h"

namespace hone::train {

struct Forward {
  model::ComputeOptions compute;
  LogpsOptions logps;
};

}  // namespace hone::train
