// What a tool does when it is told to stop. The library installs no handlers; tools may.
#pragma once

namespace vit::tools {

/// SIGINT and SIGTERM end the process at once with 130 and 143 (one line on standard error).
void exit_on_interrupt(const char* tool);

/// While one lives, in whatever thread the signal arrives, SIGINT and SIGTERM wait for its end:
/// around a write that must be whole. One at a time.
class InterruptsHeld {
  public:
    InterruptsHeld();
    ~InterruptsHeld();
    InterruptsHeld(const InterruptsHeld&) = delete;
    InterruptsHeld& operator=(const InterruptsHeld&) = delete;
};

}  // namespace vit::tools
