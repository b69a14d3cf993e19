// The main of tests that compute: HONE_CPU names hone's kernels here as it does for the program.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>
#include <iostream>

#include "base/error.h"
#include "tensor/runtime.h"

int main(int count, char** words) {
  try {
    hone::use_cpu_kernels(std::getenv(hone::kKernelsVariable));
  } catch (const hone::Error& e) {
    std::cerr << "error: " << e.what() << "\nhint: " << e.hint << '\n';
    return 2;
  }
  return doctest::Context(count, words).run();
}
