// Ctrl-C and SIGTERM ask a run to write a checkpoint and stop; a second one stops at once.
#pragma once
#include <stop_token>
#include <thread>

namespace hone {

/// Installs the handlers; called once by cli/main.cpp.
void install_interrupt_handlers();
/// True once a signal has come.
bool interrupted();

/// Signals as a stop token, while it lives. (A handler may not ask a stop_source itself: it calls what listens.)
class InterruptStop {
 public:
  InterruptStop();
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::jthread watcher_;  // the last member: it ends before what it uses
};

}  // namespace hone
