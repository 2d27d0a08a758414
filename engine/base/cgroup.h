// How many CPUs a container grants: parses the files of Linux control groups.
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

/// The control groups whose limits apply to a process: its own groups and all their parents. Parses
/// the text of /proc/self/cgroup: lines ID:CONTROLLERS:PATH, where PATH may contain colons. Returns
/// at most 1,000 groups and ignores malformed lines. Source: man 7 cgroups.
std::vector<CpuGroup> cpu_groups(std::string_view proc_self_cgroup);

/// The CPUs that a group of version 2 grants, from its cpu.max: "150000 100000" is 1.5. Infinity
/// where the text is "max" or malformed.
double cpus_of_max(std::string_view cpu_max);

/// The same for version 1, from cpu.cfs_quota_us and cpu.cfs_period_us.
double cpus_of_quota(std::string_view quota, std::string_view period);

}  // namespace vit::inline internal
