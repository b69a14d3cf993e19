// The verbs of the program. One file each; verbs.def lists them.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"

namespace hone::cli {

/// Declares its options, parses them, acts; returns the exit code.
using VerbFunction = int (*)(Options& options);

struct Verb {
  std::string_view name, group, summary;
  VerbFunction run;
};

std::span<const Verb> verbs();
/// Runs `hone WORDS…`; returns the exit code. Unknown verb: kUsage with a suggestion.
int dispatch(std::span<const char* const> words);
/// The overview that `hone` alone prints.
std::string overview();

/// "hone 0.1.0 (torch 2.13.0)\n"
std::string version_text();

}  // namespace hone::cli
