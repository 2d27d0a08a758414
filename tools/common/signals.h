// How a tool reacts to a signal that asks it to stop. The library installs no handlers; tools may.
#pragma once

namespace vit::tools {

/// From now on SIGINT and SIGTERM end the process at once with status 130 and 143, and one line on
/// standard error.
void exit_on_interrupt(const char* tool);

/// While such an object exists, SIGINT and SIGTERM take effect only when it is destroyed, whichever
/// thread receives the signal. It protects a write that must not be cut. Only one may exist at a
/// time.
class InterruptsHeld {
  public:
    InterruptsHeld();
    ~InterruptsHeld();
    InterruptsHeld(const InterruptsHeld&) = delete;
    InterruptsHeld& operator=(const InterruptsHeld&) = delete;
};

}  // namespace vit::tools
