#include "weights/mappings/open_clip/open_clip_timm.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/tensor_facts.h"
#include "weights/mappings/open_clip/clip_vit.h"
#include "weights/mappings/open_clip/open_clip_config.h"
#include "weights/mappings/timm/arch_settings.h"
#include "weights/mappings/timm/architectures.h"
#include "weights/mappings/timm/other_models.h"
#include "weights/mappings/timm/timm_config.h"
#include "weights/mappings/timm/timm_vit.h"

namespace vit::inline internal {

namespace {

using enum TensorTransform;

constexpr std::string_view trunk = "visual.trunk.";
constexpr std::string_view projection = "visual.head.proj.weight";
constexpr std::string_view name_key = "open_clip_config.json model_cfg.vision_cfg.timm_model_name";

/// timm's rules with the tower's prefix, rules for the projection, and rules that drop CLIP's text
/// half.
struct Rules {
    std::deque<std::string> names;
    std::vector<MappingRule> rules{
        {projection, "head.weight", as_is, "the projection"},
        {"visual.head.proj.bias", "head.bias", as_is, "the projection"},
    };
    Rules() {
        for (MappingRule rule : timm_vit_rules()) {
            rule.source = names.emplace_back(std::string(trunk) + std::string(rule.source));
            rules.push_back(rule);
        }
        std::ranges::copy_if(clip_rules(), std::back_inserter(rules),
                             [](const MappingRule& rule) { return rule.transform == drop; });
    }
};

/// The values of open_clip_config.json, or only timm's name from --arch.
OpenClipConfig read_config(const Checkpoint& checkpoint, const ConvertOptions& options) {
    if (options.arch) {
        refuse_other_library(*options.arch, "open_clip");
        OpenClipConfig named;
        named.timm.name = *options.arch;
        named.timm.pool = "";
        return named;
    }
    if (!checkpoint.open_clip_json)
        throw Error(ErrorKind::usage,
                    "recognised an image tower of open_clip's that is a model of timm's; which one "
                    "is not in the tensors: put open_clip_config.json beside the weights, or pass "
                    "--arch with timm's name");
    OpenClipConfig said = read_open_clip_config(*checkpoint.open_clip_json);
    if (said.timm.name.empty())
        throw Error(ErrorKind::model, fmt::format("{} is missing, but the tensors are those of a "
                                                  "tower of timm's",
                                                  name_key));
    return said;
}

/// timm's current name of the architecture. Throws Error where timm has no such name.
std::string checked_name(const OpenClipConfig& said, bool asked) {
    try {
        return find_architecture(said.timm.name).name;
    } catch (const Error& error) {
        if (asked) throw;
        throw Error(ErrorKind::model, fmt::format("{}: {}", name_key, error.what()));
    }
}

/// The config.json of the model that timm builds for open_clip. Where open_clip adds a projection,
/// it changes the pooling only after timm has built the model. So the norms stay where they are.
nlohmann::json timm_config(const OpenClipConfig& said, std::int64_t classes, bool projected) {
    nlohmann::json config{{"architecture", said.timm.name.substr(0, said.timm.name.find('.'))},
                          {"num_classes", classes},
                          {"model_args", {{"num_classes", classes}}},
                          {"pretrained_cfg", {{"num_classes", classes}}}};
    if (!projected && !said.timm.pool.empty()) config["model_args"]["global_pool"] = said.timm.pool;
    const ImageSize size = said.image_size.value_or(ImageSize{224, 224});  // open_clip's default
    config["model_args"]["img_size"] = {size.height, size.width};
    config["pretrained_cfg"]["input_size"] = {3, size.height, size.width};
    config["pretrained_cfg"]["fixed_input_size"] = true;
    return config;
}

void set_pooling(const std::string& name, ModelConfig& c) {
    static constexpr std::array<std::string_view, 5> poolings{"token", "avg", "max", "avgmax",
                                                              "map"};
    if (name.empty()) return;
    const auto found = std::ranges::find(poolings, name);
    const Pooling pooling = static_cast<Pooling>(found - poolings.begin());
    if (found == poolings.end() || (pooling == Pooling::map && c.pooling != Pooling::map) ||
        (pooling == Pooling::token && !c.class_token))
        throw Error(ErrorKind::model,
                    fmt::format("open_clip_config.json model_cfg.vision_cfg.timm_pool: {} is not "
                                "supported for {}",
                                in_quotes(name), c.architecture));
    c.pooling = pooling;
}

void check_width(std::optional<std::int64_t> said, const ModelConfig& c) {
    const std::int64_t found = c.num_classes > 0 ? c.num_classes : c.embed_dim;
    if (said && *said != found)
        throw Error(ErrorKind::model,
                    fmt::format("open_clip_config.json embed_dim is {}, but the tower's output has "
                                "{} numbers",
                                *said, found));
}

}  // namespace

bool is_open_clip_timm(const Checkpoint& checkpoint) {
    return find_tensor(checkpoint.tensors, "visual.trunk.patch_embed.proj.weight") &&
           other_model(checkpoint.tensors).empty();
}

ResolvedModel resolve_open_clip_timm(const Checkpoint& checkpoint, const ConvertOptions& options) {
    const std::span<const TensorView> tensors = checkpoint.tensors;
    const OpenClipConfig said = read_config(checkpoint, options);
    if (find_tensor(tensors, "visual.head.mlp.fc1.weight"))
        throw Error(ErrorKind::model,
                    "tensor 'visual.head.mlp.fc1.weight': a projection by an MLP (timm_proj 'mlp') "
                    "is not supported");
    const std::string name = checked_name(said, options.arch.has_value());
    const std::int64_t projected = optional_extent(tensors, projection, projection, 0);
    const std::int64_t classes =
        optional_extent(tensors, "visual.trunk.head.*", "visual.trunk.head.weight", 0);
    if (projected > 0 && said.timm.proj != "linear" && !options.arch)
        throw Error(ErrorKind::model,
                    fmt::format("open_clip_config.json model_cfg.vision_cfg.timm_proj: expected "
                                "'linear' for tensor '{}', found {}",
                                projection, in_quotes(said.timm.proj)));
    ResolvedModel out =
        options.arch
            ? resolve_timm_config({options.arch, {}, {}}, {classes, {}, 0})
            : resolve_timm_config({{}, {}, timm_config(said, classes, projected > 0).dump()}, {});
    ModelConfig& c = out.config;
    if (projected > 0) {
        set_pooling(said.timm.pool, c);
        c.num_classes = projected;
        if (!find_tensor(tensors, "visual.head.proj.bias"))
            out.made.push_back({"head.bias",
                                std::vector<float>(static_cast<std::size_t>(projected), 0.0f),
                                "zeros: the projection has none"});
    }
    check_width(said.embed_dim, c);
    out.droppable = {};
    out.keys = said.keys;
    if (!options.arch) {
        out.notes = {fmt::format("architecture {} (open_clip_config.json)", c.architecture)};
        out.preprocessing = said.preprocessing;
        out.preprocessing.input_size = c.image_size;
    }
    return out;
}

std::span<const MappingRule> open_clip_timm_rules() {
    static const Rules all;
    return all.rules;
}

}  // namespace vit::inline internal
