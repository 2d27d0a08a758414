#include "weights/mappings/architectures.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "vit/error.h"
#include "weights/model_file/text.h"

namespace vit {

namespace {

constexpr std::string_view data =
#include "weights/mappings/architectures.inc"
    ;

const nlohmann::json& table() {
    static const nlohmann::json parsed = nlohmann::json::parse(data);
    return parsed;
}

/// `tag` is an element of entry.tags: its name and its configuration.
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
    return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

[[noreturn]] void unknown(std::string_view name) {
    std::vector<std::string> names;
    for (const Architecture& a : all_architectures()) names.push_back(a.name);
    const std::string_view asked = name.substr(0, std::min<std::size_t>(name.size(), 100));
    const std::size_t shown = std::min<std::size_t>(3, names.size());
    std::partial_sort(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown),
                      names.end(), [&](const std::string& a, const std::string& b) {
                          return std::pair(edit_distance(asked, a), a) <
                                 std::pair(edit_distance(asked, b), b);
                      });
    names.resize(shown);
    throw Error(
        ErrorKind::usage,
        fmt::format("unknown architecture {}: expected one of timm's {} Vision Transformers, "
                    "such as {}",
                    in_quotes(name), all_architectures().size(), fmt::join(names, ", ")));
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

}  // namespace vit
