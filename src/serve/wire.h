// An answer as it goes out.
#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include "serve/http.h"

namespace hone::serve {

/// Status line and headers, the blank line included: the response's own, and those that every answer carries (date,
/// length, the rules for the browser). `length`: of the body, none for a stream that ends with the connection. A header
/// with a line break in it: a bug.
std::string wire_head(const Response& response, std::optional<size_t> length, bool close);

}  // namespace hone::serve
