#include "weights/mappings/timm/timm_config.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "vit/error.h"
#include "weights/mappings/common/config_keys.h"
#include "weights/mappings/common/labels.h"
#include "weights/mappings/timm/architectures.h"
#include "weights/mappings/timm/explicit_numbers.h"
#include "weights/mappings/timm/pretrained_cfg.h"
#include "weights/mappings/timm/timm_vit.h"
#include "weights/mappings/timm/vit_args.h"

namespace vit::inline internal {

namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::model, what);
}

/// The values of config.json. Members without a value stay empty.
struct ConfigJson {
    std::optional<std::string> architecture;
    std::optional<std::int64_t> num_features;
    std::optional<std::string> global_pool;
    json model_args = json::object();
    PretrainedCfg pretrained;
};

using Key = ConfigKey<ConfigJson>;
using Value = const ConfigValue&;

constexpr std::string_view for_people = "for people only";
constexpr std::string_view by_transformers = "written by transformers, not read by timm";

/// Keys at the top of config.json, beside pretrained_cfg and model_args.
constexpr std::array top_keys{
    Key{"architecture", [](ConfigJson& c, Value v) { c.architecture = v.text(); }},
    Key{"num_features",
        [](ConfigJson& c, Value v) {
            if (!v.null()) c.num_features = v.integer();
        }},
    Key{"global_pool",
        [](ConfigJson& c, Value v) {
            if (!v.null()) c.global_pool = v.text();
        }},
    Key{"label_descriptions", nullptr, "labels are label_names"},
    Key{"license", nullptr, for_people},
    Key{"tags", nullptr, for_people},
    Key{"library_name", nullptr, for_people},
    Key{"model_type", nullptr, by_transformers},
    Key{"architectures", nullptr, by_transformers},
    Key{"transformers_version", nullptr, by_transformers},
    Key{"torch_dtype", nullptr, by_transformers},
    Key{"dtype", nullptr, by_transformers},
    Key{"initializer_range", nullptr, by_transformers},
    Key{"do_pooling", nullptr, by_transformers},
    Key{"problem_type", nullptr, by_transformers},
    Key{"_name_or_path", nullptr, by_transformers},
};

ConfigJson read_config_json(const std::string& text, std::vector<ReportLine>& report) {
    const json root = parse_json_object(text, "config.json");
    ConfigJson out;
    const bool flat = !root.contains("pretrained_cfg");  // older timm: its keys are at the top

    const auto nested = [&](const char* key) -> const json& {
        static const json none = json::object();
        const auto found = root.find(key);
        if (found == root.end() || found->is_null()) return none;
        if (!found->is_object())
            ConfigValue(fmt::format("config.json {}", key), *found).refuse("an object");
        return *found;
    };
    for (const auto& [key, value] : nested("pretrained_cfg").items()) {
        const std::string name = "pretrained_cfg." + key;
        const std::string why = set_pretrained(out.pretrained, key, {"config.json " + name, value});
        report.push_back({name, why.empty(), why});
    }
    out.model_args = nested("model_args");

    // Keys at the top win over pretrained_cfg, so they are read second.
    for (const auto& [key, value] : root.items()) {
        if (key == "pretrained_cfg" || key == "model_args") continue;
        const ConfigValue at("config.json " + key, value);
        std::string why;
        if (const auto found = set_key<ConfigJson>(out, top_keys, key, at))
            why = *found;
        else if (key == "num_classes" || key == "label_names" || key == "labels")
            set_pretrained(out.pretrained, key, at);
        else if (flat)
            why = set_pretrained(out.pretrained, key, at);
        else
            refuse(fmt::format("config.json: unknown key {}", in_quotes(key)));
        report.push_back({key, why.empty(), why});
    }
    return out;
}

/// The architecture that all sources agree on. Throws Error where they disagree, or where no source
/// names one.
Architecture choose(const ConfigSources& sources, const std::optional<std::string>& from_json,
                    std::vector<std::string>& notes) {
    const auto refused = [](const std::string& name, const std::string& source) {
        try {
            return find_architecture(name);
        } catch (const Error& error) {
            throw Error(ErrorKind::model, fmt::format("{}: {}", source, error.what()));
        }
    };
    std::optional<Architecture> chosen;
    std::string by;
    if (sources.arch) {
        chosen = find_architecture(*sources.arch);
        by = sources.arch_by;
    }
    const std::array<std::pair<const std::optional<std::string>*, std::string>, 2> others{
        {{&from_json, "config.json"}, {&sources.checkpoint_arch, "the checkpoint"}}};
    for (const auto& [name, source] : others) {
        if (!*name) continue;
        const Architecture other = refused(**name, source);
        if (!chosen) {
            chosen = other;
            by = source;
        } else if (chosen->name != other.name) {
            throw Error(sources.arch ? ErrorKind::usage : ErrorKind::model,
                        fmt::format("{} says architecture {}, but {} says {}", by, chosen->name,
                                    source, other.name));
        }
    }
    if (!chosen) refuse("no architecture is named; pass --arch");
    notes.push_back(fmt::format("architecture {} ({})", chosen->name, by));
    return *chosen;
}

VitArgs read_args(const Architecture& arch, const json& model_args,
                  std::vector<ReportLine>& report) {
    VitArgs args;
    for (const auto& [key, value] : arch.args.items())
        if (!model_args.contains(key))
            set_argument(args, key, {fmt::format("architecture {}: {}", arch.name, key), value});
    for (const auto& [key, value] : model_args.items()) {
        const std::string name = "model_args." + key;
        const std::string why =
            set_argument(args, key, {fmt::format("config.json {}", name), value});
        report.push_back({name, why.empty(), why});
    }
    return args;
}

/// timm stores these values only for people to read. Here they must agree with the model.
void check_informative(const ConfigJson& given, const ModelConfig& config) {
    const std::int64_t features =
        config.representation_size > 0 ? config.representation_size : config.embed_dim;
    if (given.num_features && *given.num_features != features &&
        *given.num_features != config.embed_dim)
        refuse(fmt::format("config.json num_features: expected embed_dim {}, found {}",
                           config.embed_dim, *given.num_features));
    static constexpr std::array<std::string_view, 5> poolings{"token", "avg", "max", "avgmax",
                                                              "map"};
    const std::string_view pooling = poolings[static_cast<std::size_t>(config.pooling)];
    if (given.global_pool && *given.global_pool != pooling)
        refuse(
            fmt::format("config.json global_pool: {} disagrees with the architecture and "
                        "model_args, which say '{}'; put global_pool into model_args",
                        in_quotes(*given.global_pool), pooling));
}

}  // namespace

ResolvedModel resolve_timm_config(const ConfigSources& sources, const TensorFacts& facts) {
    ResolvedModel out;
    std::optional<ConfigJson> given;
    if (sources.config_json) given = read_config_json(*sources.config_json, out.keys);
    const Architecture arch =
        choose(sources, given ? given->architecture : std::nullopt, out.notes);
    const json model_args = given ? given->model_args : json::object();
    const VitArgs args = read_args(arch, model_args, out.keys);

    PretrainedCfg pretrained;
    if (given) {
        pretrained = given->pretrained;
        if (args.dynamic_img_size && model_args.contains("dynamic_img_size"))
            pretrained.fixed_input_size = false;
    } else {
        pretrained.fixed_input_size = true;
        for (const auto& [key, value] : arch.pretrained_cfg.items())
            set_pretrained(pretrained, key, {key, value});
        out.notes.push_back(
            fmt::format("no config.json: configuration of {}.{}", arch.name, arch.tag));
    }

    // A norm layer in model_args has the eps of its class, which is 1e-6.
    const auto eps = [&](const char* layer) {
        return model_args.contains(layer) ? 1e-6 : arch.norm_eps;
    };
    out.config = explicit_numbers(
        {arch.name, arch.distilled, eps("norm_layer"), eps("embed_norm_layer")}, args);
    ModelConfig& config = out.config;
    if (config.representation_size == 0) config.representation_size = facts.representation_size;

    config.in_chans = args.in_chans.value_or(pretrained.channels);
    if (!given && facts.in_chans && *facts.in_chans != config.in_chans) {
        config.in_chans = *facts.in_chans;
        out.notes.push_back(fmt::format("{} input channels, from the tensors", config.in_chans));
    }
    config.num_classes = args.num_classes.value_or(pretrained.num_classes);
    checked_count(config.num_classes, 0, "num_classes");
    if (given && config.num_classes != pretrained.num_classes)
        refuse(fmt::format("config.json: model_args.num_classes {} disagrees with num_classes {}",
                           config.num_classes, pretrained.num_classes));
    if (!given && facts.num_classes && *facts.num_classes != config.num_classes) {
        config.num_classes = *facts.num_classes;
        out.notes.push_back(fmt::format("{} classes, from the tensors", config.num_classes));
    }
    out.label_offset = checked_count(pretrained.label_offset, 0, "label_offset");

    // In timm's order: the model's argument, then the pretrained input size where that is fixed.
    out.build_size = args.img_size.value_or(pretrained.fixed_input_size ? pretrained.input_size
                                                                        : ImageSize{224, 224});
    const bool named = model_args.contains("img_size") && args.img_size;
    out.table_size = named ? *args.img_size : pretrained.input_size;
    const bool free_size = args.dynamic_img_size && !pretrained.fixed_input_size;
    config.image_size = free_size ? pretrained.input_size : out.build_size;
    out.preprocessing = preprocessing_of(pretrained, config.image_size);

    config.table_interpolation = arch.table_interpolation;
    if (arch.may_drop_attn_pool) out.droppable = timm_attn_pool_rules();
    if (given) check_informative(*given, config);
    if (!pretrained.label_names.is_null())
        out.labels =
            labels_from_json(pretrained.label_names, "config.json label_names", config.num_classes);
    return out;
}

}  // namespace vit::inline internal
