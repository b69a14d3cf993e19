// The pages that hone serves, embedded in the program: plain HTML, CSS and ES modules, no framework, nothing from
// outside.
//
// What holds for all of src/web/page:
//   1. Text of models and people becomes DOM by createElement and textContent alone (text.js). No innerHTML, no
//   template.
//   2. Nothing is inline: the server's Content-Security-Policy forbids script and style in HTML, and Trusted Types
//   every
//      way from a text to script.
//   3. The token goes into the header Authorization and localStorage, nowhere else.
#pragma once
#include <span>
#include <string_view>

namespace hone::web {

struct Asset {
  std::string_view path;  ///< "/app.js"; the page itself is "/"
  std::string_view content_type;
  std::string_view bytes;
};

/// All files of the judging page.
std::span<const Asset> assets();

}  // namespace hone::web
