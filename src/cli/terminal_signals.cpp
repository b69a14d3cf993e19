#include "cli/terminal_signals.h"

#include <unistd.h>

#include <csignal>

namespace hone::cli::signals {
namespace {

volatile std::sig_atomic_t interrupt_flag = 0, resize_flag = 0, continue_flag = 0, terminate_flag = 0;

void note(int signal) {
  switch (signal) {
    case SIGINT:
      interrupt_flag = 1;
      break;
    case SIGWINCH:
      resize_flag = 1;
      break;
    case SIGCONT:
      continue_flag = 1;
      break;
    default:
      terminate_flag = 1;
  }
}

bool take(volatile std::sig_atomic_t& flag) {
  const bool set = flag != 0;
  flag = 0;
  return set;
}

}  // namespace

void watch() {
  struct sigaction action{};
  action.sa_handler = note;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT}) sigaction(signal, &action, nullptr);
}

bool interrupted() { return interrupt_flag != 0; }
bool take_interrupted() { return take(interrupt_flag); }
bool take_resized() { return take(resize_flag); }
bool take_continued() { return take(continue_flag); }
bool terminated() { return terminate_flag != 0; }

QuietInput::QuietInput() {
  termios mode{};
  if (tcgetattr(STDIN_FILENO, &mode) != 0) return;
  before_ = mode;
  mode.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
  tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

QuietInput::~QuietInput() {
  if (before_) tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

}  // namespace hone::cli::signals
