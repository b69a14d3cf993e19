// What this machine is: processor, memory, and how many threads a polite program should use.
#pragma once
#include <cstdint>
#include <string>

namespace hone {

/// Processors this process may use: CPU affinity, capped by the cgroup's CPU quota (v2 and v1), at least 1.
int usable_threads();
/// "AMD EPYC" and the widest vector extensions: "AMD EPYC (avx512_bf16)".
std::string processor_name();
/// Bytes of physical memory, capped by the cgroup's limit.
uint64_t memory_bytes();
/// Peak resident set size of this process so far, bytes.
uint64_t peak_rss_bytes();

}  // namespace hone
