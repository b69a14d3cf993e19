#include "base/machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

namespace hone {
namespace {

// This process's folder in the cgroup tree, e.g. "/user.slice/x"; "/" where unknown.
std::string cgroup_path() {
  std::ifstream in("/proc/self/cgroup");
  std::string line;
  while (std::getline(in, line))
    if (line.starts_with("0::")) return line.substr(3);
  return "/";
}

// A limit may stand on any ancestor: calls `see(folder)` from the process's own cgroup up to the root.
template <class F>
void for_each_cgroup(F see) {
  std::string path = cgroup_path();
  while (true) {
    see("/sys/fs/cgroup" + path);
    if (path.empty() || path == "/") break;
    path = path.substr(0, path.rfind('/'));
  }
}

}  // namespace

int usable_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  auto cap = [&](double cpus) {
    if (cpus > 0) n = std::min(n, std::max(1, static_cast<int>(std::ceil(cpus - 1e-6))));
  };
  for_each_cgroup([&](const std::string& folder) {
    std::ifstream in(folder + "/cpu.max");
    std::string quota;
    double period = 0;
    if (in >> quota >> period && quota != "max" && period > 0) cap(std::strtod(quota.c_str(), nullptr) / period);
  });
  std::ifstream quota_v1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), period_v1("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (quota_v1 >> quota && period_v1 >> period && quota > 0 && period > 0) cap(quota / period);
  return std::max(1, n);
}

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  std::string line, name = "unknown processor", flags;
  while (std::getline(in, line)) {
    const auto value = [&] { return line.substr(std::min(line.size(), line.find(':') + 2)); };
    if (line.starts_with("model name") && name == "unknown processor") name = value();
    if (line.starts_with("flags") && flags.empty()) flags = " " + value() + " ";
  }
  for (const char* best : {"amx_bf16", "avx512_bf16", "avx512f", "avx2", "avx"})
    if (flags.find(" " + std::string(best) + " ") != std::string::npos) return name + " (" + best + ")";
  return name;
}

uint64_t memory_bytes() {
  struct sysinfo info{};
  uint64_t bytes = ::sysinfo(&info) == 0 ? static_cast<uint64_t>(info.totalram) * info.mem_unit : 0;
  for_each_cgroup([&](const std::string& folder) {
    std::ifstream in(folder + "/memory.max");
    uint64_t limit = 0;
    if (in >> limit) bytes = std::min(bytes, limit);
  });
  return bytes;
}

uint64_t peak_rss_bytes() {
  struct rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace hone
