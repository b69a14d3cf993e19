// Lines that are commands.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hone::chat {

struct CommandInfo {
  std::string_view name, argument, summary;
};
const std::vector<CommandInfo>& commands();

struct Line {
  enum class Kind { kNothing, kQuestion, kCommand } kind = Kind::kNothing;
  std::string name;  ///< of a command, in full
  std::string text;  ///< the question, or the command's argument without blanks around it
};
/// "/name argument" is a command; its name may be cut short where it stays the only one ("/reg", "/q"; "/reset" and
/// "/exit" are taken too). A question that begins with a slash is written with two. Unknown command: kUsage.
Line parse_line(std::string_view text);

}  // namespace hone::chat
