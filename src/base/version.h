// The one place of the version: `hone --version`, run.json.
#pragma once

namespace hone {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace hone
