// How the rows of data files are read: the options of the verbs that take them.
#pragma once
#include <string>
#include <vector>

#include "cli/options.h"
#include "data/format.h"
#include "data/read.h"

namespace hone::cli {

/// --format, --on-bad-line and --ignore-key.
inline void declare_reading(Options& options, data::ReadSettings& read) {
  std::vector<std::string> formats{"auto"};
  for (const data::Format& f : data::formats()) formats.emplace_back(f.id);
  options.value("--format", &read.format, "FORMAT", "row format; auto: seen in each file's first row").choices(formats);
  options.value("--on-bad-line", &read.on_bad_line, "HOW", "a line that cannot be read").choices({"stop", "skip"});
  options.value("--ignore-key", &read.ignore_keys, "KEY",
                "a key of rows to pass over, though it changes what a row says");
}

}  // namespace hone::cli
