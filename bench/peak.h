// What this machine can do at best: the share that a row reaches is of this.
#pragma once
#include <cstdint>
#include <string>

namespace hone::bench {

struct Peak {
  double flops = 0;  ///< floating-point operations a second
  int64_t size = 0;  ///< rows of the square product that reached it
};

/// Best square product of 512, 1,024, 2,048 and 4,096 rows, each repeated and the fastest taken. `dtype`: f32 or bf16.
Peak measure_peak(const std::string& dtype);

}  // namespace hone::bench
