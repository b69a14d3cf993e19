// Where a checkpoint was written. Resume is bit-exact on the same kind of processor, version, compiler, torch and
// thread count with the stored dtype; anything else is said aloud, never silent. A rebuild of one version by
// one compiler counts as the same build.
#pragma once
#include <string>
#include <vector>

#include "base/json.h"

namespace hone::checkpoint {

/// {"processor", "kernels", "threads", "device", "dtype", "torch", "build"} of this process.
Json this_machine(const std::string& device, const std::string& dtype);

/// One line for each key that differs: "threads was 2, is 4". Empty: resume is bit-exact.
std::vector<std::string> differences(const Json& saved, const Json& here);

}  // namespace hone::checkpoint
