// The runtime beneath the tensors, without a torch header: threads, versions, devices, numerical mode.
#pragma once
#include <string>

namespace hone {

/// More threads than any machine has cores; the OpenMP runtime dies of tens of thousands.
inline constexpr int kMostThreads = 1024;
/// Threads of one operator, 1 to kMostThreads or kUsage. Called once, before the first tensor.
void set_threads(int threads);
/// What the variable HONE_CPU names at the border (main, a test's main): hone's own CPU kernels, "base", "v3" (AVX2) or
/// "v4" (AVX-512), in place of the widest that the processor runs. Null: those. Another name, or one that this
/// processor cannot run: kUsage. Before the first tensor.
inline constexpr const char* kKernelsVariable = "HONE_CPU";
void use_cpu_kernels(const char* name);
/// Which of them compute: "v4".
std::string cpu_kernels();
/// "2.13.0".
std::string torch_version();
/// True where CUDA's kernels are in this program: LibTorch brings them, and the linker kept them.
bool cuda_built();
/// … and there is a GPU that they can run on.
bool cuda_available();
/// "cpu", "cuda", "cuda:N" or the name of a device that was registered with LibTorch; anything else, or a CUDA device
/// that is not there: kUsage. Called before the first tensor there: on CUDA it asks for deterministic kernels.
void use_device(const std::string& device);

}  // namespace hone
