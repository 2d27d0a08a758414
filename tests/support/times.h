// Whether this run of the tests may fail for being slow.
#pragma once

#include <cstdlib>

namespace vit::test {

/// Where the environment has VIT_CHECK_TIMES, as bench/check-times sets it: an optimised build on a
/// machine that does nothing else. The suite must pass on any machine, however slow.
inline bool times_count() {
    return std::getenv("VIT_CHECK_TIMES") != nullptr;
}

}  // namespace vit::test
