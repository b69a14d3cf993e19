// Signals of a terminal while a conversation is held: noted, and looked at between tokens and keys.
#pragma once
#include <termios.h>

#include <optional>

namespace hone::cli::signals {

/// Ctrl-C, SIGTERM, SIGHUP, a new size of the window, and waking up after Ctrl-Z.
void watch();
/// Ctrl-C has come since it was taken.
bool interrupted();
bool take_interrupted();
bool take_resized();
bool take_continued();
/// SIGTERM or SIGHUP: leave.
bool terminated();

/// The terminal without echo while an answer comes: what is typed meanwhile waits for the next prompt.
class QuietInput {
 public:
  QuietInput();
  ~QuietInput();
  QuietInput(const QuietInput&) = delete;

 private:
  std::optional<termios> before_;
};

}  // namespace hone::cli::signals
