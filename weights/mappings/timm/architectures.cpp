#include "weights/mappings/timm/architectures.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/timm/nearest_names.h"
#include "weights/mappings/timm/other_names.h"

namespace vit::inline internal {

namespace {

constexpr std::string_view data =
#include "weights/mappings/timm/architectures.inc"
    ;

const nlohmann::json& table() {
    static const nlohmann::json parsed = nlohmann::json::parse(data);
    return parsed;
}

/// `tag` is an element of entry.tags. It has a name, a configuration, and the place of its weights
/// where that is not timm's repository of the same name.
Architecture with_tag(const nlohmann::json& entry, const nlohmann::json& tag) {
    Architecture out;
    out.name = entry.at("name");
    out.tag = tag.at(0);
    out.norm_eps = entry.at("norm_eps");
    out.distilled = entry.value("distilled", false);
    const std::string resize = entry.value("table_resize", "bicubic");
    out.table_interpolation = resize == "bilinear"           ? TableInterpolation::bilinear
                              : resize == "bilinear_corners" ? TableInterpolation::bilinear_corners
                                                             : TableInterpolation::bicubic;
    out.may_drop_attn_pool = entry.contains("may_drop");
    out.args = entry.at("args");
    out.pretrained_cfg = tag.at(1);
    out.weights = tag.size() > 2 ? tag.at(2).get<std::string>()
                                 : fmt::format("timm/{}.{}", out.name, out.tag);
    return out;
}

/// The nearest of timm's other names that begin with the same letters; "" where there is none.
std::string nearest_other(std::string_view base) {
    constexpr std::size_t alike = 4;
    std::vector<std::string> others;
    for (const OtherName& each : other_names())
        if (base.size() >= alike && each.name.starts_with(base.substr(0, alike)))
            others.push_back(each.name);
    return others.empty() ? "" : nearest_names(base, others, 1).at(0);
}

[[noreturn]] void unknown(std::string_view name) {
    constexpr std::string_view list = "vit-convert --list shows them";
    const std::size_t count = all_architectures().size();
    if (const OtherName* other = find_other_name(name))
        throw Error(ErrorKind::usage,
                    fmt::format("{} is no plain Vision Transformer, but of timm's {}.py: expected "
                                "one of the {} of vision_transformer.py and deit.py; {}",
                                in_quotes(name), other->family, count, list));
    std::vector<std::string> names;
    for (const Architecture& a : all_architectures()) names.push_back(a.name);
    const std::string_view base = name.substr(0, name.find('.'));
    const std::vector<std::string> nearest = nearest_names(base, names, 3);
    const std::string other = nearest_other(base);
    const std::string aside =
        !other.empty() && effort(base, other) < effort(base, nearest.at(0))
            ? fmt::format(" ({} is one of timm's too, but no plain Vision Transformer)", other)
            : "";
    throw Error(
        ErrorKind::usage,
        fmt::format("unknown architecture {}: expected one of timm's {} Vision Transformers, "
                    "such as {}{}; {}",
                    in_quotes(name), count, fmt::join(nearest, ", "), aside, list));
}

}  // namespace

const std::vector<Architecture>& all_architectures() {
    static const std::vector<Architecture> all = [] {
        std::vector<Architecture> out;
        for (const nlohmann::json& entry : table().at("architectures"))
            out.push_back(with_tag(entry, entry.at("tags").at(0)));
        return out;
    }();
    return all;
}

std::vector<Architecture> all_tags() {
    std::vector<Architecture> out;
    for (const nlohmann::json& entry : table().at("architectures"))
        for (const nlohmann::json& tag : entry.at("tags")) out.push_back(with_tag(entry, tag));
    return out;
}

Architecture find_architecture(std::string_view name) {
    const nlohmann::json& renamed = table().at("renamed");
    if (const auto now = renamed.find(std::string(name)); now != renamed.end())
        return find_architecture(now->get<std::string>());

    const std::size_t dot = name.find('.');
    const std::string base(name.substr(0, dot));
    const std::vector<Architecture>& all = all_architectures();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Architecture& a) { return a.name == base; });
    if (found == all.end()) unknown(name);
    if (dot == std::string_view::npos) return *found;

    const std::string_view tag = name.substr(dot + 1);
    const nlohmann::json& entry =
        table().at("architectures").at(static_cast<std::size_t>(found - all.begin()));
    std::vector<std::string> tags;
    for (const nlohmann::json& candidate : entry.at("tags")) {
        tags.push_back(candidate.at(0));
        if (tags.back() == tag) return with_tag(entry, candidate);
    }
    throw Error(ErrorKind::usage, fmt::format("architecture {} has no tag {}: expected one of {}",
                                              base, in_quotes(tag), fmt::join(tags, ", ")));
}

}  // namespace vit::inline internal
