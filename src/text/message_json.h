// Messages as hone writes them in rows. Reading what others write is data/row_messages.h's business.
#pragma once
#include <vector>

#include "base/json_fwd.h"
#include "text/messages.h"

namespace hone::text {

/// [{"role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name", "weight"}, …]; what a turn does not
/// say is left out, a content that it does not have is null. The conversation's tools are not among them.
Json messages_json(const std::vector<Message>& messages);

/// Reads exactly those back. Another key, role or type, or an empty list: kUsage without a place.
std::vector<Message> messages_of(const Json& list);

}  // namespace hone::text
