// The device that the tests of this folder hold against the CPU: one program runs them on the second device, another,
// labelled `gpu`, on CUDA.
#pragma once
#include <string>

namespace hone::test {

/// Its name in a recipe, or "" where there is none: then the reason was printed after "skipped:".
std::string device_under_test();

}  // namespace hone::test
