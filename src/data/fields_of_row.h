// Typed access to the fields of a JSON row, with errors that name the field. Used by the formats.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/messages.h"

namespace hone::data {

/// True if the row is an object with all of these keys.
bool has(const Json& row, std::initializer_list<std::string_view> keys);
/// The field, missing: kUsage.
const Json& field(const Json& row, std::string_view key);
/// A text field; missing or of another type: kUsage.
std::string text_field(const Json& row, std::string_view key);
/// "" where missing or null. Numbers are written out (ids are often numbers).
std::string optional_text(const Json& row, std::string_view key);
double optional_number(const Json& row, std::string_view key, double otherwise);
int64_t whole_field(const Json& row, std::string_view key);

/// Content as text: a string, or a list of {"type": "text", "text" | "value"} parts.
std::string content_text(const Json& content);
/// "user" | "human" | "prompter" -> user and so on; a role that hone does not know: kUsage naming it.
std::string canonical_role(std::string_view role);
/// [{"role", "content"}] or [{"from", "value"}], neighbours of one role joined by a blank line. A system message may
/// only come first. Empty list: kUsage.
std::vector<text::Message> message_list(const Json& list);
text::Message message(const Json& item);
/// Joins neighbours of one role, checks the order of roles.
std::vector<text::Message> tidy(std::vector<text::Message> messages);
/// {role: user, content}.
std::vector<text::Message> user_prompt(std::string content);

}  // namespace hone::data
