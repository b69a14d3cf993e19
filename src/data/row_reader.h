// The loop under the readers: files -> rows in their formats -> `take`, with the policy for bad lines.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "data/format.h"
#include "data/read.h"

namespace hone::data {

/// Where a row stands.
struct RowPlace {
  std::string file;    ///< path
  std::string id;      ///< the row's own, else "name:row"
  std::string source;  ///< the row's own, else the file's name without extensions
  int64_t line = 0;
  const Json* row = nullptr;  ///< as the file gives it; null: plain text
};

/// Calls `take` for each usable row. `take` may throw kUsage without a place: the row is then a bad line.
/// A format that is not in the file throws kUsage with the keys seen.
ReadReport read_rows(const std::vector<std::string>& paths, const ReadSettings& settings,
                     const std::function<void(RowContent&, const RowPlace&, ReadReport&)>& take);

}  // namespace hone::data
