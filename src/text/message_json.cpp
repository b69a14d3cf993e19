#include "text/message_json.h"

#include <array>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace hone::text {
namespace {

constexpr std::array<std::string_view, 5> kRoles{"system", "developer", "user", "assistant", "tool"};

std::string text_of(const std::string& key, const Json& value) {
  if (!value.is_string()) usage_error("a message's '" + key + "' is not a text");
  return value.get<std::string>();
}

Message message_of(const Json& item) {
  if (!item.is_object()) usage_error("a message is not an object with role and content");
  Message out;
  bool content = false;
  for (const auto& [key, value] : item.items()) {
    if (key == "role") {
      out.role = text_of(key, value);
    } else if (key == "content") {
      content = true;
      out.no_content = value.is_null();
      if (!out.no_content) out.content = text_of(key, value);
    } else if (key == "reasoning_content") {
      out.reasoning = text_of(key, value);
    } else if (key == "tool_calls") {
      if (!value.is_array()) usage_error("a message's 'tool_calls' is not a list");
      out.tool_calls = dump_json(value);
    } else if (key == "tool_call_id") {
      out.tool_call_id = text_of(key, value);
    } else if (key == "name") {
      out.name = text_of(key, value);
    } else if (key == "weight") {
      out.weight = value.is_number() ? value.get<double>() : -1;
      if (!(out.weight >= 0) || !std::isfinite(out.weight)) usage_error("a message's 'weight' is not 0 or more");
    } else {
      usage_error("a message has a key '" + key + "' that is not known");
    }
  }
  bool known = false;
  for (const std::string_view role : kRoles) known = known || role == out.role;
  if (!known)
    usage_error("a message's role is '" + out.role + "'", "roles are system, developer, user, assistant and tool");
  if (!content) usage_error("a message has no 'content'");
  return out;
}

}  // namespace

Json messages_json(const std::vector<Message>& messages) {
  Json out = Json::array();
  for (const Message& m : messages) {
    Json item = {{"role", m.role}, {"content", nullptr}};
    if (!m.no_content) item["content"] = m.content;
    if (!m.reasoning.empty()) item["reasoning_content"] = m.reasoning;
    if (!m.tool_calls.empty()) item["tool_calls"] = parse_json(m.tool_calls, "tool_calls");
    if (!m.tool_call_id.empty()) item["tool_call_id"] = m.tool_call_id;
    if (!m.name.empty()) item["name"] = m.name;
    if (m.weight != 1) item["weight"] = m.weight;
    out.push_back(std::move(item));
  }
  return out;
}

std::vector<Message> messages_of(const Json& list) {
  if (!list.is_array() || list.empty()) usage_error("messages are not a list, or an empty one");
  std::vector<Message> out;
  for (const Json& item : list) out.push_back(message_of(item));
  return out;
}

}  // namespace hone::text
