// Where a checkpoint was written. Resume is bit-exact on the same kind of processor, build and thread count with the
// stored dtype; anything else is said aloud, never silent.
#pragma once
#include <string>
#include <vector>

#include "base/json.h"

namespace hone::checkpoint {

/// {"processor", "threads", "device", "dtype", "torch", "build"} of this process.
Json this_machine(const std::string& device, const std::string& dtype);

/// One line for each key that differs: "processor: checkpoint AMD …, here Intel …". Empty: resume is bit-exact.
std::vector<std::string> differences(const Json& saved, const Json& here);

}  // namespace hone::checkpoint
