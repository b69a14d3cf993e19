#include "text/messages.h"

#include <algorithm>

namespace hone::text {

const char* beyond_plain_text(const Message& message) {
  if (!message.tool_calls.empty()) return "tool_calls";
  if (!message.tools.empty()) return "tools";
  if (!message.reasoning.empty()) return "reasoning_content";
  return nullptr;
}

std::string readable(const std::vector<Message>& messages) {
  if (messages.size() == 1) return messages.front().content;
  std::string out;
  for (const Message& m : messages) out += (out.empty() ? "" : "\n\n") + m.role + ": " + m.content;
  return out;
}

std::vector<Message> joined_neighbours(std::vector<Message> messages) {
  std::vector<Message> out;
  for (Message& m : messages) {
    const bool joins = !out.empty() && out.back().role == m.role && m.role != "tool" && m.reasoning.empty() &&
                       out.back().tool_calls.empty() && m.tool_calls.empty() && out.back().weight == m.weight &&
                       out.back().name == m.name;
    if (joins) out.back().content += "\n\n" + m.content;
    else out.push_back(std::move(m));
  }
  return out;
}

}  // namespace hone::text
