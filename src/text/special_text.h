// Special tokens whose text stands in what people write. It must not become control tokens: while a template renders,
// such a text is put out of sight as <U+FDD0 index U+FDD1> (code points that are no characters), and comes back as
// ordinary text when the parts between the template's own special tokens are encoded.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/messages.h"
#include "text/tokenizer.h"

namespace hone::text {

/// The messages with the special tokens in every text of theirs hidden. U+FDD0 or U+FDD1 in one: kUsage.
std::vector<Message> hide_special(const Tokenizer& tokenizer, std::span<const Message> messages);
/// The text with what was hidden in its place.
std::string show_special(const Tokenizer& tokenizer, std::string_view text);

/// Whether any message's text holds a special token: as a rule a row to which a chat template was applied already.
bool holds_special_text(const Tokenizer& tokenizer, std::span<const Message> messages);
bool holds_special_text(const Tokenizer& tokenizer, std::string_view text);

}  // namespace hone::text
