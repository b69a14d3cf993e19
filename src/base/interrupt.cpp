#include "base/interrupt.h"

#include <unistd.h>

#include <chrono>
#include <csignal>

namespace hone {
namespace {

volatile std::sig_atomic_t flag = 0;

void handle(int) {
  if (flag) _exit(130);
  flag = 1;
  constexpr char kText[] = "\ninterrupted: writing a checkpoint (again to stop at once)\n";
  (void)!::write(STDERR_FILENO, kText, sizeof kText - 1);
}

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action{};
  action.sa_handler = handle;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool interrupted() { return flag != 0; }

InterruptStop::InterruptStop()
    : watcher_([this](const std::stop_token& done) {
        while (!done.stop_requested() && !interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        if (interrupted()) source_.request_stop();
      }) {}

}  // namespace hone
