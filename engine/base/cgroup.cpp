#include "engine/base/cgroup.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vit::inline internal {

namespace {

constexpr std::string_view blanks = " \t\n";

/// Removes the first word from `text` and returns it.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    return word;
}

/// The number in `word` if it is above 0, otherwise 0.
double positive(std::string_view word) {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    const bool whole = error == std::errc{} && end == word.data() + word.size();
    return whole && std::isfinite(value) && value > 0 ? value : 0;
}

double share(std::string_view quota, std::string_view period) {
    const double q = positive(quota), p = positive(period);
    return q > 0 && p > 0 ? q / p : HUGE_VAL;
}

bool has_cpu(std::string_view controllers) {
    while (!controllers.empty()) {
        const std::size_t comma = std::min(controllers.find(','), controllers.size());
        if (controllers.substr(0, comma) == "cpu") return true;
        controllers.remove_prefix(std::min(comma + 1, controllers.size()));
    }
    return false;
}

}  // namespace

std::vector<CpuGroup> cpu_groups(std::string_view text) {
    constexpr std::size_t most = 1000;
    std::vector<CpuGroup> groups{{true, ""}, {false, "/cpu"}};
    while (!text.empty() && groups.size() < most) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t first = line.find(':');
        if (first == line.npos) continue;
        const std::size_t second = line.find(':', first + 1);
        if (second == line.npos) continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        const bool version_2 = controllers.empty() && line.substr(0, first) == "0";
        if (!version_2 && !has_cpu(controllers)) continue;
        std::string_view path = line.substr(second + 1);
        while (path.size() > 1 && path.front() == '/' && groups.size() < most) {
            groups.push_back({version_2, (version_2 ? "" : "/cpu") + std::string(path)});
            path = path.substr(0, path.rfind('/'));
        }
    }
    return groups;
}

double cpus_of_max(std::string_view text) {
    const std::string_view quota = take_word(text);
    return share(quota, take_word(text));
}

double cpus_of_quota(std::string_view quota, std::string_view period) {
    return share(take_word(quota), take_word(period));
}

}  // namespace vit::inline internal
