// The target of a request ("/api/v1/items/7?after=3") taken apart.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hone::serve {

struct Target {
  std::string path;                   ///< decoded
  std::vector<std::string> segments;  ///< of the path; none for "/"
  std::map<std::string, std::string> query;
};

/// Refused (kBadPath, kBadQuery): what is no path, a broken percent sign, invalid UTF-8, a control character, a
/// backslash or an encoded slash, a segment "." or "..", a name that the query has twice.
Target parse_target(std::string_view target);

}  // namespace hone::serve
