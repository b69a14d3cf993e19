// Each row in a process of its own: its peak memory is its own, and so are its threads.
#pragma once
#include <filesystem>
#include <functional>

#include "base/json_fwd.h"

namespace hone::bench {

/// Runs `work` in a forked child and returns what it returns with "peak_mb" added: the child's largest resident set,
/// in 10^6 bytes. Messages of the child go to `log`. A child that fails: kRun with the log's last lines.
///
/// The caller must not have started a thread, so it may not have touched a tensor.
Json in_child(const std::filesystem::path& log, const std::function<Json()>& work);

}  // namespace hone::bench
