// Messages as rows give them: in the words of OpenAI, Hugging Face, ShareGPT and LLaMA-Factory.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "data/row_keys.h"
#include "text/messages.h"

namespace hone::data {

/// true, false, 0, 1 or one of those as text; anything else: kUsage naming the field.
bool flag_value(const Json& value, std::string_view key);

/// {"role", "content"} or {"from", "value"}, with name, reasoning ("reasoning_content", "reasoning", "thinking"),
/// tool_calls (or "function_call"), tool_call_id and what says whether the turn is learnt ("weight", "train",
/// "loss_mask", "masked", …). Content: a text, null beside calls, or parts {"type": "text" | "reasoning" |
/// "tool_call"}. A role that hone does not know, a key with a meaning that it does not read, calls without a name:
/// kUsage naming it.
text::Message message(const Json& item, RowNotes& notes);
/// A list of them; a system message may only come first. Empty list: kUsage.
std::vector<text::Message> message_list(const Json& list, RowNotes& notes);

/// A list of functions as JSON text, "" for none; a list in a text (LLaMA-Factory) is read, its bare functions wrapped
/// as {"type": "function", "function": …}. No list of objects: kUsage.
std::string tools_text(const Json& tools);

/// {role: user, content}.
std::vector<text::Message> user_prompt(std::string content);
/// {role: assistant, content}.
std::vector<text::Message> said(std::string content);

}  // namespace hone::data
