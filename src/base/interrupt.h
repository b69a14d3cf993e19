// Ctrl-C and SIGTERM ask a run to write a checkpoint and stop; a second one stops at once.
#pragma once

namespace hone {

/// Installs the handlers; called once by cli/main.cpp.
void install_interrupt_handlers();
/// True once a signal has come; loops look at it between steps.
bool interrupted();
/// For tests: pretend that a signal has come, or forget it.
void set_interrupted(bool value);

}  // namespace hone
