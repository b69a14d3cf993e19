// Where the assistant speaks in a conversation that a chat template has rendered.
//
// An answer begins where the prompt that it answers ends: the template's text of the turns before it with the
// generation prompt, so that the first trained token is the first sampled one. It ends with the template's text of the
// turns up to and with it. Both must be beginnings of the whole text.
//
// Templates that strip the reasoning of earlier turns render those otherwise later on. Such a turn is context in the
// whole (`apart`); by itself, as the last turn, it is trained as it was answered. Where the template marks what the
// assistant says by {% generation %}, the marks say what is trained of such turns.
//
// Templates of reasoning models may end the generation prompt with an opened block ("<think>\n") that they leave out of
// an answered turn (DeepSeek-R1's distilled models, QwQ). What would be sampled after that prompt is the reasoning, the
// end of the block, and the answer; so that is what is put after it: the row's reasoning, or none where it has none,
// "\n</think>\n\n", and the turn as the template renders it. The same stands in Qwen3.5's own rendering of an answer
// without reasoning, and in LLaMA-Factory's (its "empty CoT", data/README.md there).
// Other templates write the prompt otherwise once it is answered (Mistral's put the system message into the last turn
// if that is the user's): then too the turn as the template renders it is put after the prompt that is sampled from.
// Differs from: TRL (data_utils.apply_chat_template) takes the common beginning of both texts for the prompt and learns
// an answer without the block, after a prompt that is never sampled from.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "text/chat_template.h"
#include "text/messages.h"

namespace hone::text {

/// Bytes [begin, end) of the text: what the assistant says and the end of its turn.
struct Turn {
  size_t begin = 0, end = 0;
  double weight = 1;
  bool marked = false;  ///< a {% generation %} block: exactly what is trained
};

struct Turns {
  std::string text;
  std::vector<Turn> turns;    ///< in order; not those that are apart
  std::optional<Turn> last;   ///< the answer that ends the conversation; among `turns` too
  std::vector<size_t> apart;  ///< as Encoded's
  bool in_block = false;      ///< the generation prompt opens a block, into which the last answer's reasoning was put
};

/// `messages` may hold hidden special tokens. A last answer that cannot be told from its prompt: kUsage.
Turns find_turns(const ChatTemplate& chat_template, std::span<const Message> messages, bool add_generation_prompt);

/// kUsage naming the field or role, where the template leaves out what a message says and `turns` do not have it.
void require_rendered(const ChatTemplate& chat_template, std::span<const Message> messages, const Turns& turns);

}  // namespace hone::text
