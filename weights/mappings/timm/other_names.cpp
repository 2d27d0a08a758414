#include "weights/mappings/timm/other_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vit::inline internal {

namespace {

constexpr std::string_view data =
#include "weights/mappings/timm/other_names.inc"
    ;

}  // namespace

const std::vector<OtherName>& other_names() {
    static const std::vector<OtherName> all = [] {
        std::vector<OtherName> out;
        const nlohmann::json parsed = nlohmann::json::parse(data);
        for (const auto& [family, names] : parsed.at("families").items())
            for (const nlohmann::json& name : names) out.push_back({name, family});
        return out;
    }();
    return all;
}

const OtherName* find_other_name(std::string_view name) {
    const std::string_view base = name.substr(0, name.find('.'));
    const std::vector<OtherName>& all = other_names();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const OtherName& each) { return each.name == base; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace vit::inline internal
