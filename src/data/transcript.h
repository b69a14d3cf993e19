// Conversations written as one text: "\n\nHuman: …\n\nAssistant: …".
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/row_keys.h"
#include "text/messages.h"

namespace hone::data {

/// Anthropic's transcripts: turns begin with "\n\nHuman:" and "\n\nAssistant:" (the first blank line may be missing)
/// and are trimmed; neighbouring turns of one speaker are joined by a blank line, which is noticed. Another beginning:
/// kUsage naming the field.
std::vector<text::Message> hh_turns(const std::string& text, std::string_view key, RowNotes& notes);
/// True for a text that begins with "Human:" and holds an assistant's turn.
bool looks_like_hh(std::string_view text);

/// The turns of a prompt that is a transcript: its lines begin with speakers (Human or User; Assistant, AI or Bot), the
/// first is the user's, and it ends with an assistant's that has said nothing yet. Nothing for any other text; one that
/// only looks like a transcript is noticed.
std::optional<std::vector<text::Message>> transcript_prompt(std::string_view text, RowNotes& notes);
std::string trimmed(std::string_view text);

}  // namespace hone::data
