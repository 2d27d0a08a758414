#include "weights/mappings/timm/recognise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "engine/base/text.h"
#include "weights/mappings/common/patterns.h"
#include "weights/mappings/timm/architectures.h"

namespace vit::inline internal {

namespace {

const TensorView* find(std::span<const TensorView> tensors, std::string_view name) {
    const auto found = std::find_if(tensors.begin(), tensors.end(),
                                    [&](const TensorView& t) { return t.name == name; });
    return found == tensors.end() ? nullptr : &*found;
}

struct Told {
    std::int64_t width = 0, depth = 0, mlp_dim = 0, patch_height = 0, patch_width = 0, rows = 0;
    std::int64_t registers = 0;
    bool class_token = false, distilled = false, layer_scale = false;
};

bool may_be(const Architecture& a, const Told& told) {
    const auto& args = a.args;
    const std::int64_t width = args.value("embed_dim", std::int64_t{768});
    const double ratio = args.value("mlp_ratio", 4.0);
    return width == told.width && args.value("depth", std::int64_t{12}) == told.depth &&
           args.value("patch_size", std::int64_t{16}) == told.patch_height &&
           told.patch_height == told.patch_width &&
           static_cast<std::int64_t>(static_cast<double>(width) * ratio) == told.mlp_dim &&
           args.value("class_token", true) == told.class_token &&
           args.value("reg_tokens", std::int64_t{0}) == told.registers &&
           a.distilled == told.distilled && args.contains("init_values") == told.layer_scale;
}

std::string first_names(std::span<const TensorView> tensors) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(tensors.size(), 3); ++i)
        text += in_quotes(tensors[i].name) + ", ";
    return text.empty() ? "there are none" : text + "…";
}

}  // namespace

std::string foreign_source(std::span<const TensorView> tensors) {
    struct Mark {
        std::string_view part, what, advice;
    };
    constexpr std::string_view get_config =
        "put its config.json and preprocessor_config.json beside the weights, or convert "
        "hf-hub:ORG/NAME";
    constexpr std::string_view whole = "give the whole checkpoint, as its library saves it";
    static constexpr std::array marks{
        Mark{"embeddings.patch_embeddings.projection.weight", "a Hugging Face transformers model",
             get_config},
        Mark{"vision_model.embeddings.", "a Hugging Face transformers CLIP or SigLIP model",
             get_config},
        Mark{"encoder.layers.encoder_layer_0.", "a torchvision model", whole},
        Mark{"visual.class_embedding", "an OpenAI CLIP or open_clip model", whole},
        Mark{"visual.trunk.", "an open_clip model with a tower of timm's",
             "put its open_clip_config.json beside the weights"},
        Mark{"Transformer/encoderblock_0/", "one of Google's JAX models", whole},
        Mark{"to_patch_embedding.", "a vit-pytorch model", whole},
        Mark{"mask_token", "a DINOv2 model of Facebook's",
             "move the weights to a folder without config.json"},
        Mark{"layers.0.0.norm.weight", "a vit-pytorch model", whole}};
    for (const Mark& mark : marks)
        for (const TensorView& tensor : tensors)
            if (tensor.name.find(mark.part) != std::string::npos)
                return fmt::format("{}: {}", mark.what, mark.advice);
    return "";
}

std::string describe_unnamed(std::span<const TensorView> tensors) {
    const TensorView* kernel = find(tensors, "patch_embed.proj.weight");
    const TensorView* fc1 = find(tensors, "blocks.0.mlp.fc1.weight");
    if (!kernel || kernel->shape.size() != 4 || !fc1 || fc1->shape.size() != 2) {
        const std::string foreign = foreign_source(tensors);
        if (!foreign.empty()) return fmt::format("the tensors' names are those of {}", foreign);
        if (kernel && find(tensors, "pos_embed"))
            return "the tensors may be those of one of timm's less usual Vision Transformers; "
                   "numbers of it are not in the tensors: pass --arch with its name";
        return fmt::format(
            "the tensors' names ({}) are those of no Vision Transformer that is understood; "
            "docs/sources.md lists whose are",
            first_names(tensors));
    }
    if (!find(tensors, "pos_embed"))
        return "the tensors are those of a Vision Transformer without a position table, such as "
               "DINOv3; those cannot be converted";
    Told told;
    told.width = kernel->shape[0];
    told.patch_height = kernel->shape[2];
    told.patch_width = kernel->shape[3];
    told.mlp_dim = fc1->shape[0];
    told.class_token = find(tensors, "cls_token") != nullptr;
    told.distilled = find(tensors, "dist_token") != nullptr;
    told.layer_scale = find(tensors, "blocks.0.ls1.gamma") || find(tensors, "blocks.0.gamma_1");
    if (const TensorView* registers = find(tensors, "reg_token");
        registers && registers->shape.size() == 3)
        told.registers = registers->shape[1];
    std::vector<std::string> numbers;
    for (const TensorView& tensor : tensors)
        told.depth += fits("blocks.#.mlp.fc1.weight", tensor.name, numbers) ? 1 : 0;

    std::vector<std::string> names;
    for (const Architecture& a : all_architectures())
        if (may_be(a, told)) names.push_back(a.name);
    std::string fitting = "no architecture of timm's has just these sizes";
    if (!names.empty()) {
        const bool more = names.size() > 6;
        if (more) names.resize(6);
        fitting = fmt::format("{}{} would fit", fmt::join(names, ", "), more ? ", …" : "");
    }
    return fmt::format(
        "recognised a timm Vision Transformer of width {}, {} blocks, MLP width {}, {}x{} "
        "patches{}{}{}; the "
        "number of heads, the norms' eps, activation and pooling are not in the tensors: pass "
        "--arch ({}{})",
        told.width, told.depth, told.mlp_dim, told.patch_height, told.patch_width,
        told.class_token ? ", class token" : "", told.distilled ? ", distillation token" : "",
        told.registers > 0 ? fmt::format(", {} registers", told.registers) : "", fitting,
        find(tensors, "head.weight")
            ? ""
            : "; a backbone of Facebook's: facebook.VisionTransformer:heads=N");
}

}  // namespace vit::inline internal
