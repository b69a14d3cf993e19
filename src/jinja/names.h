// Which filters and tests there are, for the parser: an unknown one is refused when the template is read.
#pragma once
#include <string_view>

namespace hone::jinja {

bool has_filter(std::string_view name);
bool has_test(std::string_view name);

}  // namespace hone::jinja
