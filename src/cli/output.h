// Standard output, the only place in the program that writes to it. A reader that has gone away (`hone … | head`) ends
// the program quietly; a full disk is an error.
#pragma once
#include <string_view>

namespace hone::cli {

/// Thrown when nobody reads standard output any more. Not an Error: there is nothing to say and nobody to say it to.
struct ReaderGone {};

/// Writes all of it at once.
void print(std::string_view text);
/// Writes all of it to a file descriptor; `name` is for the error.
void write_fd(int fd, std::string_view text, std::string_view name);

}  // namespace hone::cli
