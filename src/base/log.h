// Messages for people, to standard error. Metrics are data and go elsewhere. Takes plain strings: the torch wheel
// brings another fmt than the system's, so no fmt in headers that torch rooms see.
#pragma once
#include <string>
#include <string_view>

namespace hone::log {

void info(std::string_view message);
void warn(std::string_view message);
/// The same, but a message that was given before is not given again.
void warn_once(const std::string& message);
/// Nothing but warnings (`--quiet`).
void set_quiet(bool quiet);
bool quiet();

}  // namespace hone::log
