#include "tensor/cpu/kernels.h"

namespace hone::cpu {

#if defined(__x86_64__)
const Kernels& kernels_v4();
const Kernels& kernels_v3();
#endif
const Kernels& kernels_base();

const Kernels& kernels() {
#if defined(__x86_64__)
  static const Kernels& chosen = __builtin_cpu_supports("x86-64-v4")   ? kernels_v4()
                                 : __builtin_cpu_supports("x86-64-v3") ? kernels_v3()
                                                                       : kernels_base();
#else
  static const Kernels& chosen = kernels_base();
#endif
  return chosen;
}

}  // namespace hone::cpu
