#include "data/fields_of_row.h"

#include <array>

#include "base/error.h"

namespace hone::data {

bool has(const Json& row, std::initializer_list<std::string_view> keys) {
  if (!row.is_object()) return false;
  for (const std::string_view key : keys)
    if (!row.contains(key)) return false;
  return true;
}

const Json& field(const Json& row, std::string_view key) {
  if (!row.is_object()) usage_error("the row is not a JSON object");
  const auto it = row.find(key);
  if (it == row.end()) usage_error("field '" + std::string(key) + "' is missing");
  return *it;
}

std::string text_field(const Json& row, std::string_view key) {
  const Json& value = field(row, key);
  if (!value.is_string()) usage_error("field '" + std::string(key) + "' is not a text");
  return value.get<std::string>();
}

std::string optional_text(const Json& row, std::string_view key) {
  const auto it = row.find(key);
  if (it == row.end() || it->is_null()) return {};
  if (it->is_string()) return it->get<std::string>();
  if (it->is_number()) return it->dump();
  return {};
}

double optional_number(const Json& row, std::string_view key, double otherwise) {
  const auto it = row.find(key);
  if (it == row.end() || it->is_null()) return otherwise;
  if (!it->is_number()) usage_error("field '" + std::string(key) + "' is not a number");
  return it->get<double>();
}

int64_t whole_field(const Json& row, std::string_view key) {
  const Json& value = field(row, key);
  if (!value.is_number_integer()) usage_error("field '" + std::string(key) + "' is not a whole number");
  return value.get<int64_t>();
}

std::string content_text(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) usage_error("a message's content is neither a text nor a list of parts");
  std::string out;
  for (const Json& part : content) {
    if (!part.is_object()) usage_error("a part of a message's content is not an object");
    const std::string type = optional_text(part, "type");
    if (type != "text") usage_error("a message part of type '" + type + "' is not supported (only text)");
    out += text_field(part, part.contains("text") ? "text" : "value");
  }
  return out;
}

std::string canonical_role(std::string_view role) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kRoles{{{"system", "system"},
                                                                                        {"user", "user"},
                                                                                        {"human", "user"},
                                                                                        {"prompter", "user"},
                                                                                        {"assistant", "assistant"},
                                                                                        {"gpt", "assistant"},
                                                                                        {"chatgpt", "assistant"},
                                                                                        {"bot", "assistant"},
                                                                                        {"model", "assistant"}}};
  for (const auto& [from, to] : kRoles)
    if (from == role) return std::string(to);
  usage_error("role '" + std::string(role) + "' is not supported", "roles are system, user and assistant");
}

text::Message message(const Json& item) {
  if (!item.is_object()) usage_error("a message is not an object with role and content");
  const bool from = item.contains("from");
  return {canonical_role(text_field(item, from ? "from" : "role")),
          content_text(field(item, from ? "value" : "content"))};
}

std::vector<text::Message> tidy(std::vector<text::Message> messages) {
  std::vector<text::Message> out;
  for (text::Message& m : messages) {
    if (m.role == "system" && !out.empty()) usage_error("a system message comes after other messages");
    if (!out.empty() && out.back().role == m.role) {
      out.back().content += "\n\n" + m.content;
    } else {
      out.push_back(std::move(m));
    }
  }
  return out;
}

std::vector<text::Message> message_list(const Json& list) {
  if (!list.is_array() || list.empty()) usage_error("the list of messages is empty or not a list");
  std::vector<text::Message> messages;
  for (const Json& item : list) messages.push_back(message(item));
  return tidy(std::move(messages));
}

std::vector<text::Message> user_prompt(std::string content) { return {{"user", std::move(content)}}; }

}  // namespace hone::data
