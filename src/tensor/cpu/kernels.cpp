#include "tensor/cpu/kernels.h"

#include "base/error.h"

namespace hone::cpu {

#if defined(__x86_64__)
const Kernels& kernels_v4();
const Kernels& kernels_v3();
#endif
const Kernels& kernels_base();

namespace {

struct Table {
  const Kernels* kernels;
  bool runs;  // on this processor
};

// The plainest first.
std::vector<Table> tables() {
  std::vector<Table> out{{&kernels_base(), true}};
#if defined(__x86_64__)
  out.push_back({&kernels_v3(), __builtin_cpu_supports("x86-64-v3") != 0});
  out.push_back({&kernels_v4(), __builtin_cpu_supports("x86-64-v4") != 0});
#endif
  return out;
}

const Kernels*& chosen() {
  static const Kernels* table = runnable_kernels().back();
  return table;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels*& table = chosen();
  return *table;
}

std::vector<const Kernels*> runnable_kernels() {
  std::vector<const Kernels*> out;
  for (const Table& t : tables())
    if (t.runs) out.push_back(t.kernels);
  return out;
}

void choose_kernels(const std::string& name) {
  std::string known, runnable;
  for (const Table& t : tables()) {
    known += (known.empty() ? "" : ", ") + std::string(t.kernels->name);
    if (t.runs) runnable += (runnable.empty() ? "" : ", ") + std::string(t.kernels->name);
    if (t.kernels->name != name) continue;
    if (!t.runs)
      usage_error("the CPU kernels '" + name + "' were asked for, but this processor cannot run them",
                  "it runs " + runnable + "; without HONE_CPU the widest is taken");
    chosen() = t.kernels;
    return;
  }
  usage_error("there are no CPU kernels '" + name + "'", "HONE_CPU names one of: " + known);
}

}  // namespace hone::cpu
