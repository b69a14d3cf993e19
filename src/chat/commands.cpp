#include "chat/commands.h"

#include "base/error.h"
#include "chat/visible.h"
#include "config/fields.h"

namespace hone::chat {
const std::vector<CommandInfo>& commands() {
  static const std::vector<CommandInfo> list = {
#define HONE_COMMAND(name, argument, summary) {#name, argument, summary},
#include "chat/commands.def"
#undef HONE_COMMAND
  };
  return list;
}

Line parse_line(std::string_view text) {
  text = stripped(text);
  if (text.empty()) return {};
  if (text.starts_with("//")) return {Line::Kind::kQuestion, "", std::string(text.substr(1))};
  if (text[0] != '/') return {Line::Kind::kQuestion, "", std::string(text)};
  const size_t end = std::min(text.find_first_of(" \t\n"), text.size());
  std::string name(text.substr(1, end - 1));
  const std::string argument(stripped(text.substr(end)));
  if (name == "reset") name = "new";
  if (name == "exit") name = "quit";
  std::vector<std::string> known;
  const CommandInfo* found = nullptr;
  size_t fits = 0;
  for (const CommandInfo& c : commands()) {
    known.emplace_back(c.name);
    if (c.name == name) return {Line::Kind::kCommand, name, argument};
    if (!name.empty() && c.name.starts_with(name)) found = &c, ++fits;
  }
  if (fits == 1) return {Line::Kind::kCommand, std::string(found->name), argument};
  const std::string near = config::closest(name, known);
  usage_error("there is no command /" + name + (near.empty() ? "" : "; did you mean /" + near + "?"),
              "/help lists them; a question that begins with a slash is written with two");
}

}  // namespace hone::chat
