// Turns the arguments of timm's VisionTransformer into explicit numbers.
#pragma once

#include <string_view>

#include "weights/mappings/timm/vit_args.h"

namespace vit::inline internal {

/// Facts besides the arguments that decide a model's numbers.
struct ModelClass {
    std::string_view architecture;
    bool distilled = false;        ///< timm's VisionTransformerDistilled
    double norm_eps = 1e-6;        ///< of args.norm
    double embed_norm_eps = 1e-6;  ///< of args.embed_norm
};

/// Leaves the sizes of images, channels and classes to the caller. Throws Error(model) with the
/// name of an argument that is out of range, contradicts another one, or needs an unsupported
/// feature.
ModelConfig explicit_numbers(const ModelClass& model, const VitArgs& args);

/// Returns `value` if it is in [low, 2^20]. Otherwise throws Error(model) with `name`.
std::int64_t checked_count(std::int64_t value, std::int64_t low, std::string_view name);

}  // namespace vit::inline internal
