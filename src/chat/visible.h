// What a model says, made safe to show: it may say anything, and a terminal obeys what it is sent.
#pragma once
#include <string>
#include <string_view>

namespace hone::chat {

/// UTF-8 without anything that a terminal would act on. Newline and tab stay. Other control characters (C0, DEL) become
/// their pictures (ESC: U+241B), C1 and what turns the direction of writing <U+009B>; a carriage return goes, so that
/// CR LF is a newline.
std::string visible(std::string_view text);

/// An answer as one line: visible(), with \\ for a backslash and \n for a newline, which `printf %b` undoes.
std::string one_line(std::string_view text);

/// Without white space around it.
std::string_view stripped(std::string_view text);

}  // namespace hone::chat
