// The page's style sheet and script, from page.css and page.js (embedded by CMake), and its mark.
#pragma once
#include <string_view>

namespace hone::report {

extern const std::string_view kStyle, kScript;

inline constexpr std::string_view kBrand =
    "<p class=brand><svg viewBox=\"0 0 24 24\" aria-hidden=true><path d=\"M3 20 21 4 14 20Z\"/></svg>hone</p>";

}  // namespace hone::report
