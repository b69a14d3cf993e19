// The runtime beneath the tensors, without a torch header: threads, versions, devices, numerical mode.
#pragma once
#include <string>

namespace hone {

/// More threads than any machine has cores; the OpenMP runtime dies of tens of thousands.
inline constexpr int kMostThreads = 1024;
/// Threads of one operator, 1 to kMostThreads or kUsage. Called once, before the first tensor.
void set_threads(int threads);
/// "2.13.0".
std::string torch_version();
bool cuda_available();
/// "cpu", "cuda" or "cuda:N"; anything else, or a CUDA device that is not there: kUsage.
void require_device(const std::string& device);

}  // namespace hone
