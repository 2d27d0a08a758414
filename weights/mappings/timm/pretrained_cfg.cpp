#include "weights/mappings/timm/pretrained_cfg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/base/text.h"
#include "vit/error.h"

namespace vit::inline internal {

namespace {

using Value = const ConfigValue&;

struct Rule {
    std::string_view name;
    void (*set)(PretrainedCfg&, Value);
    std::string_view dropped;  ///< why, where nothing (more) is done with it
};

// timm takes its default where a number is 0 or a text is empty, and so do these.

void crop_pct(PretrainedCfg& cfg, Value v) {
    if (!v.null() && v.number() != 0) cfg.crop_pct = v.number();
}

void crop_mode(PretrainedCfg& cfg, Value v) {
    if (v.null() || v.text().empty()) return;
    const std::string mode = v.text();
    if (mode == "center")
        cfg.crop_mode = CropMode::center;
    else if (mode == "squash")
        cfg.crop_mode = CropMode::squash;
    else if (mode == "border")
        cfg.crop_mode = CropMode::border;
    else
        v.refuse("crop mode 'center', 'squash' or 'border'");
}

void interpolation(PretrainedCfg& cfg, Value v) {
    if (v.null() || v.text().empty()) return;
    const std::string name = v.text();
    if (name == "nearest")
        cfg.interpolation = Interpolation::nearest;
    else if (name == "bilinear")
        cfg.interpolation = Interpolation::bilinear;
    else if (name == "bicubic")
        cfg.interpolation = Interpolation::bicubic;
    else if (name == "lanczos")
        cfg.interpolation = Interpolation::lanczos;
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
    "timm uses it only when asked for the test size; pass --img-size or --crop-pct for that";
constexpr std::string_view no_pooling_grid = "Vision Transformers have no pooling grid";

constexpr std::array rules{
    Rule{"input_size", [](PretrainedCfg& c, Value v) { c.input_size = v.input_size(c.channels); },
         ""},
    Rule{"fixed_input_size",
         [](PretrainedCfg& c, Value v) { c.fixed_input_size = !v.null() && v.boolean(); }, ""},
    Rule{"num_classes", [](PretrainedCfg& c, Value v) { c.num_classes = v.integer(); }, ""},
    Rule{"label_offset",
         [](PretrainedCfg& c, Value v) { c.label_offset = v.null() ? 0 : v.integer(); }, ""},
    Rule{"crop_pct", crop_pct, ""},
    Rule{"crop_mode", crop_mode, ""},
    Rule{"interpolation", interpolation, ""},
    Rule{"mean",
         [](PretrainedCfg& c, Value v) {
             if (!v.null()) c.mean = v.numbers();
         },
         ""},
    Rule{"std",
         [](PretrainedCfg& c, Value v) {
             if (!v.null()) c.std = v.numbers();
         },
         ""},
    Rule{"label_names", [](PretrainedCfg& c, Value v) { c.label_names = v.json(); }, ""},
    Rule{"labels", [](PretrainedCfg& c, Value v) { c.label_names = v.json(); }, ""},
    Rule{"first_conv", first_conv, "the patch embedding, which is known"},
    Rule{"classifier", classifier, "the head, which is known"},

    Rule{"test_input_size", nullptr, test_size},
    Rule{"test_crop_pct", nullptr, test_size},
    Rule{"min_input_size", nullptr, "a limit of timm's; the engine checks its own"},
    Rule{"pool_size", nullptr, no_pooling_grid},
    Rule{"test_pool_size", nullptr, no_pooling_grid},
    Rule{"label_descriptions", nullptr, "labels are label_names"},
    Rule{"custom_load", nullptr, "the tensors' names tell their format"},
    Rule{"url", nullptr, where_from},
    Rule{"file", nullptr, where_from},
    Rule{"hf_hub_id", nullptr, where_from},
    Rule{"hf_hub_filename", nullptr, where_from},
    Rule{"source", nullptr, where_from},
    Rule{"architecture", nullptr, "the architecture stands at the top of config.json"},
    Rule{"tag", nullptr, for_people},
    Rule{"license", nullptr, for_people},
    Rule{"description", nullptr, for_people},
    Rule{"origin_url", nullptr, for_people},
    Rule{"paper_name", nullptr, for_people},
    Rule{"paper_ids", nullptr, for_people},
    Rule{"notes", nullptr, for_people},
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
    const auto rule =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.name == name; });
    if (rule == rules.end())
        throw Error(ErrorKind::model,
                    fmt::format("{}: no key of timm's pretrained_cfg", in_quotes(value.key())));
    if (rule->set) rule->set(cfg, value);
    return std::string(rule->dropped);
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
