#include "weights/mappings/other_models.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vit {

namespace {

constexpr std::string_view data =
#include "weights/mappings/other_models.inc"
    ;

}  // namespace

const std::vector<OtherModel>& other_models() {
    static const std::vector<OtherModel> all = [] {
        std::vector<OtherModel> out;
        const nlohmann::json parsed = nlohmann::json::parse(data);
        for (const auto& [family, names] : parsed.at("families").items())
            for (const nlohmann::json& name : names) out.push_back({name, family});
        return out;
    }();
    return all;
}

const OtherModel* find_other_model(std::string_view name) {
    const std::string_view base = name.substr(0, name.find('.'));
    const std::vector<OtherModel>& all = other_models();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const OtherModel& each) { return each.name == base; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace vit
