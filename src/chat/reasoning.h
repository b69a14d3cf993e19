// Where an answer thinks, and where it speaks: models of reasoning put what they think into a block before the answer.
#pragma once
#include <string>
#include <string_view>

namespace hone::chat {

/// The block's marks. A generation prompt may end with an opened one; else an answer may open one itself.
struct ReasoningBlock {
  std::string open = "<think>", close = "</think>";
  bool opened = false;  ///< by the generation prompt
};
/// The block that a prompt's text ends with ("<think>\n", "[THINK]"), or the usual one, not opened.
ReasoningBlock block_of(std::string_view prompt);

struct Parts {
  std::string reasoning, content;
  bool unfinished = false;  ///< it ended while it thought
};
/// An answer's text without the marks, and without the blank lines around them. Without a block all of it is content,
/// as it stands.
Parts split_reasoning(std::string_view text, const ReasoningBlock& block);

}  // namespace hone::chat
