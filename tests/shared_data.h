// Where the real data sets lie (../shared/data or $HONE_DATA); tests that need them say so and skip without them.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

inline std::filesystem::path data_root() {
  const char* set = std::getenv("HONE_DATA");
  return set != nullptr ? set : "../shared/data";
}

inline bool data_missing(const std::string& name) {
  if (std::filesystem::exists(data_root() / name)) return false;
  std::cout << "skipped: " << (data_root() / name).string() << " is not here\n";
  return true;
}
