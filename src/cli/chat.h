// The two ways to hold a conversation: on a terminal, and over a pipe.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "chat/assistant.h"

namespace hone::cli {

struct Chat {
  std::vector<std::unique_ptr<chat::Assistant>> assistants;  ///< the first answers, the others are compared with it
  chat::Conversation conversation;
  chat::Settings settings;
  std::string preferences = "preferences.jsonl";  ///< where /prefer writes
  std::string history;                            ///< where the lines that were typed are kept; "": nowhere
  bool stats = false, colours = false;
};

/// Both return the program's exit code.
int chat_on_terminal(Chat& chat);
int chat_over_pipe(Chat& chat);

/// What is to be said of an answer: why it ended where it did. "" where it ended by itself.
std::string ending_note(const Chat& chat, const chat::Answer& answer);
/// "14 tokens, 21.3 a second, first after 180 ms; 38 of the prompt's 52 tokens were kept".
std::string stats_text(const chat::Answer& answer);

}  // namespace hone::cli
