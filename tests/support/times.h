// Decides whether this run of the tests may fail because it is slow.
#pragma once

#include <cstdlib>

namespace vit::test {

/// True if the environment has VIT_CHECK_TIMES. bench/check-times sets it for an optimised build on
/// a machine that does nothing else. The suite itself must pass on any machine, however slow.
inline bool times_count() {
    return std::getenv("VIT_CHECK_TIMES") != nullptr;
}

}  // namespace vit::test
