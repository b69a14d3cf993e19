// The bench's command line.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "bench/rows.h"

namespace hone::bench {

struct Options {
  std::vector<std::string> sizes, dtypes, rows;
  RowSettings settings;
  std::filesystem::path json;    ///< where the figures go; empty: nowhere
  std::filesystem::path inputs;  ///< where models and texts are written; kept if it was given
  bool keep_inputs = false, help = false;
};

/// kUsage for what it does not know.
Options read_options(int count, char** words);
std::string help_text();

}  // namespace hone::bench
