#include "weights/mappings/timm/pretrained_cfg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/config_keys.h"

namespace vit::inline internal {

namespace {

using Value = const ConfigValue&;

using Key = ConfigKey<PretrainedCfg>;

// Like timm, these functions keep the default where a number is 0 or a text is empty.

void crop_pct(PretrainedCfg& cfg, Value v) {
    if (!v.null() && v.number() != 0) cfg.crop_pct = v.number();
}

void crop_mode(PretrainedCfg& cfg, Value v) {
    if (v.null() || v.text().empty()) return;
    const std::string mode = v.text();
    if (mode == "center")
        cfg.crop_mode = Crop::center;
    else if (mode == "squash")
        cfg.crop_mode = Crop::squash;
    else if (mode == "border")
        cfg.crop_mode = Crop::border;
    else
        v.refuse("crop mode 'center', 'squash' or 'border'");
}

void interpolation(PretrainedCfg& cfg, Value v) {
    if (v.null() || v.text().empty()) return;
    const std::string name = v.text();
    if (name == "nearest")
        cfg.interpolation = Filter::nearest;
    else if (name == "bilinear")
        cfg.interpolation = Filter::bilinear;
    else if (name == "bicubic")
        cfg.interpolation = Filter::bicubic;
    else if (name == "lanczos")
        cfg.interpolation = Filter::lanczos;
    else
        v.refuse("interpolation 'nearest', 'bilinear', 'bicubic' or 'lanczos'");
}

void first_conv(PretrainedCfg&, Value v) {
    if (!v.null() && v.text() != "patch_embed.proj") v.refuse("'patch_embed.proj'");
}

void classifier(PretrainedCfg&, Value v) {
    const auto known = [](const nlohmann::json& name) {
        return name == "head" || name == "head_dist";
    };
    const nlohmann::json& names = v.json();
    if (names.is_null() || known(names)) return;
    if (!names.is_array() || !std::all_of(names.begin(), names.end(), known))
        v.refuse("'head', or 'head' and 'head_dist'");
}

constexpr std::string_view for_people = "for people only";
constexpr std::string_view where_from = "where timm downloads the weights";
constexpr std::string_view test_size =
    "timm uses it only where the caller requests the test size; pass --img-size or --crop-pct for "
    "that";
constexpr std::string_view no_pooling_grid = "Vision Transformers have no pooling grid";

constexpr std::array keys{
    Key{"input_size", [](PretrainedCfg& c, Value v) { c.input_size = v.input_size(c.channels); }},
    Key{"fixed_input_size",
        [](PretrainedCfg& c, Value v) { c.fixed_input_size = !v.null() && v.boolean(); }},
    Key{"num_classes", [](PretrainedCfg& c, Value v) { c.num_classes = v.integer(); }},
    Key{"label_offset",
        [](PretrainedCfg& c, Value v) { c.label_offset = v.null() ? 0 : v.integer(); }},
    Key{"crop_pct", crop_pct},
    Key{"crop_mode", crop_mode},
    Key{"interpolation", interpolation},
    Key{"mean",
        [](PretrainedCfg& c, Value v) {
            if (!v.null()) c.mean = v.numbers();
        }},
    Key{"std",
        [](PretrainedCfg& c, Value v) {
            if (!v.null()) c.std = v.numbers();
        }},
    Key{"label_names", [](PretrainedCfg& c, Value v) { c.label_names = v.json(); }},
    Key{"labels", [](PretrainedCfg& c, Value v) { c.label_names = v.json(); }},
    Key{"first_conv", first_conv, "the patch embedding, which is known"},
    Key{"classifier", classifier, "the head, which is known"},

    Key{"test_input_size", nullptr, test_size},
    Key{"test_crop_pct", nullptr, test_size},
    Key{"min_input_size", nullptr, "a limit of timm's; the engine checks its own"},
    Key{"pool_size", nullptr, no_pooling_grid},
    Key{"test_pool_size", nullptr, no_pooling_grid},
    Key{"label_descriptions", nullptr, "labels are label_names"},
    Key{"custom_load", nullptr, "the tensors' names tell their format"},
    Key{"url", nullptr, where_from},
    Key{"file", nullptr, where_from},
    Key{"hf_hub_id", nullptr, where_from},
    Key{"hf_hub_filename", nullptr, where_from},
    Key{"source", nullptr, where_from},
    Key{"architecture", nullptr, "the architecture is at the top of config.json"},
    Key{"tag", nullptr, for_people},
    Key{"license", nullptr, for_people},
    Key{"description", nullptr, for_people},
    Key{"origin_url", nullptr, for_people},
    Key{"paper_name", nullptr, for_people},
    Key{"paper_ids", nullptr, for_people},
    Key{"notes", nullptr, for_people},
};

std::array<float, 3> three(const std::vector<double>& values, std::string_view name) {
    std::array<float, 3> out{};
    if (values.size() != 1 && values.size() != 3)
        throw Error(ErrorKind::model,
                    fmt::format("pretrained_cfg.{}: expected one or three numbers, found {}", name,
                                values.size()));
    for (std::size_t i = 0; i < 3; ++i)
        out[i] = static_cast<float>(values.size() == 1 ? values[0] : values[i]);
    return out;
}

}  // namespace

std::string set_pretrained(PretrainedCfg& cfg, const std::string& name, const ConfigValue& value) {
    const auto why = set_key<PretrainedCfg>(cfg, keys, name, value);
    if (!why)
        throw Error(ErrorKind::model,
                    fmt::format("{}: no key of timm's pretrained_cfg", in_quotes(value.key())));
    return std::string(*why);
}

Preprocessing preprocessing_of(const PretrainedCfg& cfg, ImageSize size) {
    Preprocessing out;
    out.input_size = size;
    out.crop_pct = cfg.crop_pct;
    out.crop_mode = cfg.crop_mode;
    out.interpolation = cfg.interpolation;
    out.mean = three(cfg.mean, "mean");
    out.std = three(cfg.std, "std");
    return out;
}

}  // namespace vit::inline internal
