// Target for the parser of control groups.
#include <cmath>
#include <string_view>

#include "engine/base/cgroup.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/targets.h"

namespace vit::fuzz {

/// Reads the bytes as /proc/self/cgroup, and as each of the files with limits. These parsers accept
/// every text, so that no exception is allowed.
void cgroup(std::span<const std::byte> bytes) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto groups = cpu_groups(text);
    require(!groups.empty() && groups.size() <= 1000, "between 1 and 1,000 groups");
    for (const CpuGroup& group : groups)
        require(group.version_2 || group.folder.starts_with("/cpu"), "a folder below /cpu");
    require(cpus_of_max(text) > 0, "a positive number of CPUs");
    require(cpus_of_quota(text, text) > 0, "a positive number of CPUs");
}

}  // namespace vit::fuzz
