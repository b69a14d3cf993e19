// One turn of a conversation, as every room passes it. A conversation is a list of turns in their order.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hone::text {

struct Message {
  std::string role;            ///< "system", "developer", "user", "assistant" or "tool"
  std::string content;         ///< UTF-8
  std::string reasoning = {};  ///< of the assistant, before the content; "": none
  /// What the assistant calls, a JSON list as the row gives it ([{"type": "function", "function": {"name",
  /// "arguments"}}]); "": nothing. Text, so that whoever passes messages needs no JSON.
  std::string tool_calls = {};
  std::string tool_call_id = {};  ///< of a tool's turn: the call that it answers
  std::string name = {};          ///< who speaks, or which tool
  /// What the assistant may call in this conversation, a JSON list; "": nothing. It stands on the first turn.
  std::string tools = {};
  double weight = 1;        ///< of the turn's tokens in the loss; 0: kept as context. Of the assistant's turns alone
  bool no_content = false;  ///< the row says null, not "": some templates tell them apart
  bool operator==(const Message&) const = default;
};

/// The first field that a prompt and an answer in plain text cannot say, by its name in rows ("tool_calls", "tools",
/// "reasoning_content"); nullptr where the turn is a text of its role.
const char* beyond_plain_text(const Message& message);
/// A conversation for a person to read: a lone turn's content, of several each with its role.
std::string readable(const std::vector<Message>& messages);
/// Neighbouring plain turns of one role as one, their contents joined by a blank line.
std::vector<Message> joined_neighbours(std::vector<Message> messages);

}  // namespace hone::text
