#include "weights/mappings/common/mapping_rule.h"

namespace vit::inline internal {

namespace {

std::string with_ending(std::string_view pattern, std::string_view ending) {
    if (!pattern.ends_with('$')) return std::string(pattern);
    return std::string(pattern.substr(0, pattern.size() - 1)) + std::string(ending);
}

}  // namespace

std::vector<WrittenRule> written_out(std::span<const MappingRule> rules) {
    std::vector<WrittenRule> out;
    for (const MappingRule& rule : rules) {
        const auto add = [&](std::string_view ending) {
            out.push_back({with_ending(rule.source, ending), with_ending(rule.canonical, ending),
                           rule.transform, rule.note});
        };
        add("weight");
        if (rule.source.ends_with('$')) add("bias");
    }
    return out;
}

}  // namespace vit::inline internal
