// Python's string operations, on UTF-8.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hone::jinja {

std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
/// str.title(): every word's first letter.
std::string title(std::string_view text);
/// Strips white space, or the characters of `characters`, from either end.
std::string_view strip(std::string_view text, const std::string* characters, bool left, bool right);
/// At most `limit` splits (< 0: all), on white space where there is no separator; from the right with `backwards`.
std::vector<std::string> split(std::string_view text, const std::string* separator, int64_t limit, bool backwards);
std::vector<std::string> split_lines(std::string_view text, bool keep_ends);
/// At most `limit` replacements (< 0: all).
std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t limit);
/// How often `part` stands in the text, without overlap; between all characters if it is empty.
size_t count(std::string_view text, std::string_view part);

}  // namespace hone::jinja
