// How much of the CPU a container grants: Linux control groups, as text of their files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vit::inline internal {

/// A control group's folder below /sys/fs/cgroup ("/a/b" of version 2, "/cpu/a/b" of version 1).
struct CpuGroup {
    bool version_2 = true;
    std::string folder;
};

/// The groups whose limits count for a process, its own and all of their parents, from the text of
/// /proc/self/cgroup: lines ID:CONTROLLERS:PATH, where PATH may have colons too. At most 1,000;
/// lines that make no sense are left out. man 7 cgroups.
std::vector<CpuGroup> cpu_groups(std::string_view proc_self_cgroup);

/// CPUs that a group of version 2 grants, from its cpu.max: "150000 100000" are 1.5. Infinity where
/// it says "max" or makes no sense.
double cpus_of_max(std::string_view cpu_max);

/// The same for version 1, from cpu.cfs_quota_us and cpu.cfs_period_us.
double cpus_of_quota(std::string_view quota, std::string_view period);

}  // namespace vit::inline internal
