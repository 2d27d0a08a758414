#include "weights/mappings/common/hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <vector>

#include "engine/base/text.h"
#include "weights/mappings/common/patterns.h"

namespace vit::inline internal {

namespace {

/// An argument of timm's VisionTransformer. With the value `with`, a model has the tensors of
/// `pattern`. With the value `without`, it does not have them. `without` is "" where this argument
/// alone does not decide.
struct Hint {
    std::string_view pattern, argument, with, without;
};

constexpr std::array hints{
    Hint{"patch_embed.proj.bias", "pre_norm", "false", ""},
    Hint{"patch_embed.norm.*", "embed_norm_layer", "a norm's name", "null"},
    Hint{"norm_pre.*", "pre_norm", "true", "false"},
    Hint{"cls_token", "class_token", "true", "false"},
    Hint{"reg_token", "reg_tokens", "their number", "0"},
    Hint{"pos_embed", "pos_embed", "'learn'", "'none'"},
    Hint{"blocks.#.attn.qkv.bias", "qkv_bias", "true", "false"},
    Hint{"blocks.#.attn.proj.bias", "proj_bias", "true", "false"},
    Hint{"blocks.#.mlp.fc1.bias", "proj_bias", "true", "false"},
    Hint{"blocks.#.mlp.fc2.bias", "proj_bias", "true", "false"},
    Hint{"blocks.#.attn.q_norm.*", "qk_norm", "true", "false"},
    Hint{"blocks.#.attn.k_norm.*", "qk_norm", "true", "false"},
    Hint{"blocks.#.attn.norm.*", "scale_attn_norm", "true", "false"},
    Hint{"blocks.#.mlp.norm.*", "scale_mlp_norm", "true", "false"},
    Hint{"blocks.#.ls1.*", "init_values", "1", "null"},
    Hint{"blocks.#.ls2.*", "init_values", "1", "null"},
    Hint{"blocks.#.gamma_*", "init_values", "1", "null"},
    Hint{"blocks.#.norm1.bias", "norm_layer", "'layernorm'", "'rmsnorm'"},
    Hint{"blocks.#.norm2.bias", "norm_layer", "'layernorm'", "'rmsnorm'"},
    Hint{"norm.bias", "norm_layer", "'layernorm'", "'rmsnorm'"},
    Hint{"attn_pool.*", "global_pool", "'map'", "'avg'"},
    Hint{"fc_norm.*", "fc_norm", "true", "false"},
    Hint{"norm.weight", "fc_norm", "false", "true"},
    Hint{"head.*", "num_classes", "their number", "0"},
};

const Hint* hint_of(std::string_view name) {
    std::vector<std::string> numbers;
    const auto found = std::ranges::find_if(
        hints, [&](const Hint& each) { return fits(each.pattern, name, numbers); });
    return found == hints.end() ? nullptr : &*found;
}

}  // namespace

std::string extra_hint(std::string_view name) {
    const Hint* found = hint_of(name);
    return found ? fmt::format("; model_args.{} {} has it", found->argument, found->with) : "";
}

std::string missing_hint(std::string_view name, const std::set<std::string, std::less<>>& present) {
    const Hint* found = hint_of(name);
    if (!found || found->without.empty()) return "";
    for (const std::string& other : present)
        if (const Hint* each = hint_of(other); each && each->argument == found->argument)
            return fmt::format("; {} is there, so the checkpoint is incomplete", in_quotes(other));
    return fmt::format("; model_args.{} {} does without", found->argument, found->without);
}

std::string_view shape_hint(std::string_view name, std::span<const std::int64_t> found,
                            std::span<const std::int64_t> expected) {
    std::vector<std::string> numbers;
    if (found.size() == 2 && std::ranges::equal(found, expected | std::views::reverse))
        return "the tensor is transposed";
    for (const std::string_view pattern :
         {"blocks.#.[attn.]q_norm.*", "blocks.#.[attn.]k_norm.*", "blocks.#.[attn.]sub_norm.*",
          "blocks.#.[attn.]lambda_*"})
        if (fits(pattern, name, numbers)) return "num_heads decides about it";
    return "the sizes of the architecture and its arguments are not the checkpoint's";
}

}  // namespace vit::inline internal
