// Measures how busy this process is while it has nothing to do.
#pragma once

#include <chrono>
#include <ctime>
#include <thread>

namespace vit::bench {

/// Processor time of the whole process while the calling thread sleeps for 0.3 s, divided by 0.3 s:
/// 1 means that one core was busy all the time.
inline double idle_load() {
    const auto processor_seconds = [] {
        timespec time{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    };
    constexpr std::chrono::duration<double> pause{0.3};
    const double before = processor_seconds();
    std::this_thread::sleep_for(pause);
    return (processor_seconds() - before) / pause.count();
}

}  // namespace vit::bench
